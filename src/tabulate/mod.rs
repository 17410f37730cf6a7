//! Exact tables over the declared cells: what a plan measures, before noise.
//!
//! # Guarantees
//! G2: only an admitted `&Plan` reaches the data. G3: the cells are those of the plan's levels, zeros included; the
//! data only count into them. G4: a table is counted only if one person of these editions cannot move it by more than
//! the plan paid for. G1: counts leave inside [`Sensitive`]. Which passes are made, over which columns and with how
//! much memory is decided by plan and coding, never by values.

mod bound;
mod distinct;
mod engine;
mod grid;
mod layout;
mod rows;

use crate::ledger::{EditionRow, FileEntry};
use crate::policy::{Plan, Quantity};
use crate::sensitive::Sensitive;
use crate::vault::{Vault, VaultError, Verified};
use layout::{Edition, Table};

/// Threads one question may use, whatever the machine has: how long it takes is for plan and sizes to say.
const THREADS: usize = 2;

/// One table, exact.
pub struct ExactTable {
    /// Positions in `Plan::dimensions`, ascending.
    pub dims: Vec<usize>,
    /// One count or sum for each cell of the levels' cross product, the last dimension running fastest; for
    /// `Quantity::Bins` one for each bin of a cell, side by side.
    pub counts: Sensitive<Vec<i64>>,
}

/// The tables of a plan, in the order of `Plan::measured`.
pub struct ExactTables(pub Vec<ExactTable>);

/// Why there are no tables. None of it depends on values.
#[derive(Debug, thiserror::Error)]
pub enum TabulateError {
    /// The editions are not those the plan was admitted for.
    #[error("these are not the editions the plan was admitted for; ask again")]
    Editions,
    /// An edition has no such column.
    #[error("edition {period} was closed without column {column}; close it again under the policy in force")]
    ColumnMissing {
        /// The period.
        period: String,
        /// The column.
        column: String,
    },
    /// Numbers of the edition are of another kind.
    #[error(
        "the decimals of {column}, or what it describes, changed since edition {period} was closed; close it again under the policy in force"
    )]
    NumbersChanged {
        /// The period.
        period: String,
        /// The column.
        column: String,
    },
    /// A code of the edition is in no level, or in two.
    #[error(
        "the codes of {column} changed since edition {period} was closed; close it again under the policy in force"
    )]
    CodesChanged {
        /// The period.
        period: String,
        /// The column.
        column: String,
    },
    /// One person of these editions could move the table by more than was paid for.
    #[error("edition {period} was closed with a wider bound per person; close it again under the policy in force")]
    Bound {
        /// The period.
        period: String,
    },
    /// The table has more cells than can be addressed.
    #[error("the table is too large")]
    TooLarge,
    /// The engine ran out of the memory it may use.
    #[error("counting this takes more memory than it may have; ask for fewer dimensions")]
    Memory,
    /// The engine failed; its own text is dropped, for it may quote values.
    #[error("counting failed")]
    Engine,
    /// An edition could no longer be had when its rows were already being read.
    #[error("an edition was lost while it was counted; ask again")]
    Interrupted,
    /// A broken invariant of an edition.
    #[error("an edition is not in order; close the period again")]
    Corrupt,
    /// The vault's reason.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl TabulateError {
    /// Whether it was known before a row was read, from plan, coding and manifest alone: then it says nothing about the
    /// data, and a claim may be given back.
    #[must_use]
    pub fn before_reading(&self) -> bool {
        match self {
            Self::Editions
            | Self::ColumnMissing { .. }
            | Self::NumbersChanged { .. }
            | Self::CodesChanged { .. }
            | Self::Bound { .. } => true,
            Self::Vault(error) => {
                matches!(error, VaultError::Sealed | VaultError::Erased { .. } | VaultError::Tampered { .. })
            }
            Self::TooLarge | Self::Memory | Self::Engine | Self::Interrupted | Self::Corrupt => false,
        }
    }

    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Editions => "editions_differ",
            Self::ColumnMissing { .. } => "column_missing",
            Self::NumbersChanged { .. } => "numbers_changed",
            Self::CodesChanged { .. } => "codes_changed",
            Self::Bound { .. } => "bound_exceeded",
            Self::TooLarge => "table_too_large",
            Self::Memory => "memory",
            Self::Engine => "engine",
            Self::Interrupted => "interrupted",
            Self::Corrupt => "edition_corrupt",
            Self::Vault(error) => error.code(),
        }
    }
}

/// What a plan is counted from: its editions, laid out and found to be those of the manifest. No row has been read.
pub struct Sources {
    vault: Vault,
    tables: Vec<Table>,
    editions: Vec<Edition>,
    files: Vec<Vec<Verified>>,
}

/// Lays a plan over its editions and checks their files against the manifest. Begins at once, on a thread of its own,
/// and reads no row: it may go on while the claim is being made durable.
///
/// # Errors
/// If editions and plan do not fit together, or a file or its key is not what it was; known before a row is read.
pub fn sources(
    plan: &Plan,
    vault: &Vault,
    editions: &[EditionRow],
) -> impl Future<Output = Result<Sources, TabulateError>> + use<> {
    let laid = layout::editions(plan, editions).and_then(|editions| {
        let tables = layout::tables(plan)?;
        bound::check(plan, &tables, &editions)?;
        Ok((tables, editions))
    });
    let vault = vault.clone();
    let verifying = tokio::task::spawn_blocking(move || {
        let (tables, editions) = laid?;
        // All editions, before a row of any is read: a claim may still be given back.
        let files = verify(&vault, &editions)?;
        Ok(Sources { vault, tables, editions, files })
    });
    async { verifying.await.map_err(|_| TabulateError::Engine)? }
}

/// Counts the plan's tables; the engine may take so many bytes of memory.
///
/// # Errors
/// If the vault or the engine fails. Whatever fails here may have depended on the rows.
pub async fn tabulate(sources: Sources, memory: usize) -> Result<ExactTables, TabulateError> {
    // A thread of its own: the work is long, and a parser that panics ends the thread, not the service.
    let counted = tokio::task::spawn_blocking(move || {
        let Sources { vault, tables, editions, files } = sources;
        read(&vault, tables, &editions, &files, memory)
    });
    counted.await.map_err(|_| TabulateError::Engine)?
}

/// A table being counted.
struct Counting {
    table: Table,
    counts: Vec<i64>,
}

impl Counting {
    fn add(&mut self, cell: usize, count: i64) -> Result<(), TabulateError> {
        let sum = self.counts.get_mut(cell).ok_or(TabulateError::Corrupt)?;
        *sum = sum.checked_add(count).ok_or(TabulateError::TooLarge)?;
        Ok(())
    }
}

/// Counts editions that were verified. Whatever fails here may have depended on the rows, so it is told apart.
fn read(
    vault: &Vault,
    tables: Vec<Table>,
    editions: &[Edition],
    files: &[Vec<Verified>],
    memory: usize,
) -> Result<ExactTables, TabulateError> {
    let counted = read_all(vault, tables, editions, files, memory);
    counted.map_err(|error| if error.before_reading() { TabulateError::Interrupted } else { error })
}

fn read_all(
    vault: &Vault,
    tables: Vec<Table>,
    editions: &[Edition],
    files: &[Vec<Verified>],
    memory: usize,
) -> Result<ExactTables, TabulateError> {
    let empty = |table: Table| Ok(Counting { counts: vec![0; table.figures()?], table });
    let mut tables: Vec<Counting> = tables.into_iter().map(empty).collect::<Result<_, TabulateError>>()?;
    let mut engine = None;
    for (edition, files) in editions.iter().zip(files) {
        // A table of few combinations of codes is added up place by place. Beyond, the engine's memory goes with those
        // that occur; a table with room for too many is scanned person by person, in memory that its declared cells
        // alone decide. All count each person once.
        let (mut distinct, mut grouped, mut added) = (Vec::new(), Vec::new(), Vec::new());
        for counting in &mut tables {
            let table = &counting.table;
            let persons = table.quantity == Quantity::Persons;
            let group = if persons && (table.distinct || layout::too_fine(edition, table)) {
                &mut distinct
            } else if persons && !layout::fits_grid(edition, table.columns(edition)) {
                &mut grouped
            } else {
                &mut added
            };
            group.push(counting);
        }
        for pass in layout::passes(edition, grouped.iter().map(|counting| &counting.table)) {
            let engine = match &mut engine {
                Some(engine) => engine,
                none => none.insert(engine::Engine::new(vault, memory)?),
            };
            let groups = engine.count(edition, files, &pass.columns)?;
            let members = grouped.get_mut(pass.tables).ok_or(TabulateError::Engine)?;
            fold(edition, &pass.columns, &groups, members)?;
        }
        distinct::count(vault, edition, files, &mut distinct)?;
        rows::count(vault, edition, files, &mut added)?;
    }
    if let Some(engine) = engine {
        engine.end();
    }
    let exact = |counting: Counting| ExactTable { dims: counting.table.dims, counts: Sensitive::new(counting.counts) };
    Ok(ExactTables(tables.into_iter().map(exact).collect()))
}

/// An edition that is not in order. Made only when one is: making an error costs more than counting a row.
fn corrupt() -> TabulateError {
    TabulateError::Corrupt
}

/// Checks every file of these editions, and that their keys are there; gives them by edition.
fn verify(vault: &Vault, editions: &[Edition]) -> Result<Vec<Vec<Verified>>, TabulateError> {
    let files: Vec<&FileEntry> = editions.iter().flat_map(|edition| &edition.files).collect();
    let verified = std::thread::scope(|scope| {
        let parts = files.chunks(files.len().div_ceil(THREADS).max(1));
        let running: Vec<_> = parts.map(|part| scope.spawn(move || vault.verify(part.iter().copied()))).collect();
        let done = running.into_iter().map(|thread| Ok(thread.join().map_err(|_| TabulateError::Engine)??));
        done.collect::<Result<Vec<_>, TabulateError>>()
    })?;
    let mut verified = verified.into_iter().flatten();
    Ok(editions.iter().map(|edition| verified.by_ref().take(edition.files.len()).collect()).collect())
}

/// Sums the finest counts of a pass into its tables.
fn fold(
    edition: &Edition,
    columns: &[usize],
    groups: &Sensitive<engine::Groups>,
    tables: &mut [&mut Counting],
) -> Result<(), TabulateError> {
    let groups = groups.expose();
    for counting in tables {
        let mut cells = vec![counting.table.base(edition); groups.counts.len()];
        for (column, codes) in columns.iter().zip(&groups.codes) {
            counting.table.advance(edition, *column, codes.iter().copied(), &mut cells)?;
        }
        for (cell, count) in cells.into_iter().zip(&groups.counts) {
            counting.add(cell, *count)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
