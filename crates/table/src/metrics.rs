//! Column metrics of data files: truncated bounds that are never too narrow.
