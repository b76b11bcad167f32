//! The graph of the jobs as a tree in text: under each table the jobs that read it, under each job those that read what it
//! fills.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hosu_table::name::TableName;

/// A job as it is drawn.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Its name.
    pub name: String,
    /// What it fills.
    pub target: TableName,
    /// What it reads.
    pub inputs: Vec<TableName>,
    /// What is said behind its name.
    pub words: String,
}

/// The jobs as a tree, in their order. A job with several inputs stands under each of them, and what follows it only the
/// first time.
pub fn graph(jobs: &[Drawn]) -> String {
    let mut drawing = Drawing { jobs, drawn: BTreeSet::new(), text: String::new() };
    let filled: BTreeSet<&TableName> = jobs.iter().map(|job| &job.target).collect();
    let mut tables: Vec<&TableName> = Vec::new();
    for table in jobs.iter().flat_map(|job| &job.inputs) {
        if !filled.contains(table) && !tables.contains(&table) {
            tables.push(table);
        }
    }
    for table in tables {
        let _ = writeln!(drawing.text, "{table}");
        drawing.readers(table, "");
    }
    for job in jobs.iter().filter(|job| job.inputs.is_empty()) {
        let _ = writeln!(drawing.text, "{}", line(job));
        drawing.drawn.insert(&job.name);
        drawing.readers(&job.target, "");
    }
    drawing.text
}

fn line(job: &Drawn) -> String {
    let blank = if job.words.is_empty() { "" } else { "  " };
    format!("{} -> {}{blank}{}", job.name, job.target, job.words)
}

struct Drawing<'a> {
    jobs: &'a [Drawn],
    drawn: BTreeSet<&'a str>,
    text: String,
}

impl Drawing<'_> {
    fn readers(&mut self, table: &TableName, indent: &str) {
        let readers: Vec<&Drawn> = self.jobs.iter().filter(|job| job.inputs.contains(table)).collect();
        for (at, job) in readers.iter().enumerate() {
            let is_last = at + 1 == readers.len();
            let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            if !self.drawn.insert(&job.name) {
                let _ = writeln!(self.text, "{indent}{branch}{} (as above)", job.name);
                continue;
            }
            let _ = writeln!(self.text, "{indent}{branch}{}", line(job));
            self.readers(&job.target, &format!("{indent}{below}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &str, target: &str, inputs: &[&str]) -> Drawn {
        let table = |name: &str| TableName::parse(name).unwrap();
        let inputs = inputs.iter().map(|name| table(name)).collect();
        Drawn { name: name.to_owned(), target: table(target), inputs, words: String::new() }
    }

    #[test]
    fn each_job_stands_under_what_it_reads() {
        let jobs = [
            job("days", "c.days", &[]),
            job("logins", "c.logins", &["raw.events"]),
            job("daily", "c.daily", &["c.logins", "c.days"]),
            job("money", "c.money", &["raw.events"]),
        ];
        let expected = "\
raw.events
├─ logins -> c.logins
│  └─ daily -> c.daily
└─ money -> c.money
days -> c.days
└─ daily (as above)
";
        assert_eq!(graph(&jobs), expected);
    }
}
