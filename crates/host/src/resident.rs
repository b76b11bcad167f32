//! How much memory this process really has: what the system counts, whoever in the process asked for it.

/// All memory of the process in bytes, the program itself included; none where the system does not tell.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    line_of(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// The same without what is a copy of a file, as the program is.
#[must_use]
pub fn allocated_bytes() -> Option<u64> {
    line_of(&std::fs::read_to_string("/proc/self/status").ok()?, "RssAnon:")
}

fn line_of(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_tells_is_found() {
        let status = "VmRSS:\t 100 kB\nRssAnon:\t   68164 kB\nRssFile: 1 kB";
        assert_eq!(line_of(status, "RssAnon:"), Some(68_164 * 1024));
        assert_eq!((line_of(status, "VmRSS:"), line_of(status, "VmHWM:")), (Some(100 * 1024), None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_is_used_is_counted() {
        let before = allocated_bytes().unwrap();
        let block = vec![1_u8; 256 << 20];
        let (during, all) = (allocated_bytes().unwrap(), resident_bytes().unwrap());
        assert!(during >= before.saturating_sub(64 << 20) + (256 << 20), "{before} {during} {}", block.len());
        assert!(all >= during);
    }
}
