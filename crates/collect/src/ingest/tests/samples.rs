//! The sample data of the repository, as a person loads it first.

use std::fs;
use std::path::PathBuf;

use super::support::Lake;

#[tokio::test]
async fn each_line_of_the_sample_data_is_a_row_or_a_reject() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sample-data");
    for name in ["game-events.ndjson", "cloudtrail.ndjson", "wrong-lines.ndjson"] {
        let path = folder.join(name);
        let text = fs::read(&path).unwrap();
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        let lake = Lake::new();
        let report = lake.ingest(&[path.to_str().unwrap()]).await.unwrap();
        assert_eq!(report.rows + report.rejected, lines as u64, "{name}");
        assert_eq!(lake.rows("events").await.len() as u64, report.rows, "{name}");
        assert_eq!(lake.rows("events_rejects").await.len() as u64, report.rejected, "{name}");
        let is_clean = report.rejected == 0 && report.rescued == 0;
        assert_eq!(is_clean, name != "wrong-lines.ndjson", "{name}: {:?}", report.rescued_columns);
    }
}
