//! What a statement did and cost, in one line.

use hosu_sql::Stats;

use super::sink::Wanted;
use crate::print::human;

/// The line. `price_per_tib` is in dollars.
pub fn figures(stats: &Stats, has_rows: bool, wanted: Wanted, price_per_tib: f64) -> String {
    let rows = human::counted(stats.rows, "row");
    let mut parts = vec![match wanted {
        Wanted::Enough => format!("stopped after {rows}"),
        Wanted::More if has_rows => rows,
        Wanted::More if stats.rows_changed > 0 || stats.snapshot_id.is_some() => {
            format!("{} added", human::counted(stats.rows_changed, "row"))
        }
        Wanted::More => "done".to_owned(),
    }];
    parts.push(human::elapsed(stats.elapsed_ms));
    if stats.files_total > 0 {
        let files = human::counted(stats.files_total, "file");
        parts.push(format!("{} of {files}", human::count(stats.files_read)));
        parts.push(bytes(stats));
        let skipped = stats.row_groups_total.saturating_sub(stats.row_groups_read);
        if skipped > 0 {
            let groups = human::counted(stats.row_groups_total, "row group");
            parts.push(format!("{} of {groups} skipped", human::count(skipped)));
        }
        parts.push(human::price(stats.bytes_scanned, price_per_tib));
    }
    format!("({})", parts.join(", "))
}

/// Of a small file the footer's part may be fetched twice; then a share would puzzle.
fn bytes(stats: &Stats) -> String {
    let scanned = human::bytes(stats.bytes_scanned);
    if stats.bytes_scanned > stats.bytes_total {
        format!("{scanned} scanned")
    } else {
        format!("{scanned} of {}", human::bytes(stats.bytes_total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_rows_time_files_bytes_and_price() {
        let mut stats = Stats { rows: 1_234, elapsed_ms: 52, ..Stats::default() };
        assert_eq!(figures(&stats, true, Wanted::More, 5.0), "(1,234 rows, 0.05 s)");
        stats = Stats {
            files_read: 12,
            files_total: 30,
            bytes_scanned: 10 << 20,
            bytes_total: 20 << 20,
            ..stats
        };
        stats = Stats { row_groups_read: 12, row_groups_total: 12, ..stats };
        assert_eq!(
            figures(&stats, true, Wanted::More, 5.0),
            "(1,234 rows, 0.05 s, 12 of 30 files, 10.0 MiB of 20.0 MiB, $0.000048)"
        );
        stats = Stats { row_groups_total: 17, bytes_scanned: 21 << 20, ..stats };
        assert_eq!(
            figures(&stats, true, Wanted::Enough, 0.0),
            "(stopped after 1,234 rows, 0.05 s, 12 of 30 files, 21.0 MiB scanned, 5 of 17 row groups skipped, $0)"
        );
    }

    #[test]
    fn a_statement_without_rows_tells_what_it_changed() {
        let mut stats = Stats { elapsed_ms: 1_000, ..Stats::default() };
        assert_eq!(figures(&stats, false, Wanted::More, 5.0), "(done, 1.00 s)");
        stats.snapshot_id = Some("1".to_owned());
        assert_eq!(figures(&stats, false, Wanted::More, 5.0), "(0 rows added, 1.00 s)");
        stats.rows_changed = 1;
        assert_eq!(figures(&stats, false, Wanted::More, 5.0), "(1 row added, 1.00 s)");
    }
}
