//! Data files to rows of a table: one commit.

use std::collections::HashMap;

use hosu_catalog::{Append, Catalog, Commit, Committed, JobChange, Step, TableChange};
use hosu_datafile::Written;
use hosu_table::commit::Overwrite;

use crate::error::ChangeError;
use crate::write::Target;

/// What becomes of the rows that the target has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// They stay; what others add meanwhile stays too.
    Add,
    /// They stay, and nobody may have changed the target since the change was planned.
    AddAlone,
    /// The new rows stand in their place, in one step. Nobody may have changed the target since the change was planned.
    Replace,
}

/// Makes written files rows of the target, and `jobs` true with them. Without files a target that is there is changed only by
/// [`Effect::Replace`]; a new one is made in any case.
///
/// # Errors
/// [`ChangeError::Catalog`]. The files are left where they are: whether they may be deleted is
/// [`ChangeError::is_definite`].
pub async fn commit(
    catalog: &Catalog,
    target: Target,
    written: &Written,
    effect: Effect,
    summary: HashMap<String, String>,
    jobs: Vec<JobChange>,
) -> Result<Committed, ChangeError> {
    let change = change(target, written, effect, summary);
    Ok(catalog.commit(Commit { tables: change.into_iter().collect(), jobs, ..Commit::default() }).await?)
}

fn change(
    target: Target,
    written: &Written,
    effect: Effect,
    summary: HashMap<String, String>,
) -> Option<TableChange> {
    let (spec_id, files) = (target.spec_id(), written.files.clone());
    let append =
        |summary| (!written.files.is_empty()).then(|| Append { spec_id, files: files.clone(), summary });
    match target {
        Target::New { name, new, .. } => {
            Some(TableChange::Create { name, new, append: append(summary), make_database: true })
        }
        Target::Existing { table: base, schema } => {
            let mut steps = Vec::new();
            if effect != Effect::Add {
                let current = base.snapshot().map(|snapshot| snapshot.snapshot_id());
                steps.push(Step::RequireSnapshot(current));
            }
            if let Some(schema) = schema {
                let base_schema_id = base.metadata.current_schema_id();
                steps.push(Step::EvolveSchema { base_schema_id, schema });
            }
            match effect {
                Effect::Replace => steps.push(Step::Overwrite(Overwrite { spec_id, files, summary })),
                Effect::Add | Effect::AddAlone => steps.push(Step::Append(append(summary)?)),
            }
            Some(TableChange::Change { base, steps })
        }
    }
}
