//! The query engine: counts persons by groups of codes. The only file that names `DataFusion`.
//!
//! # Guarantees
//! Nothing is spilled to disk, and memory is capped. No statistics, page indexes, filters or caches are used: the work
//! depends on sizes, not on values. File keys come from the vault through a factory, never through options. The
//! engine's errors become a code; their texts, which may quote values, are dropped. Nothing is logged here.
//!
//! Rows are grouped by the codes of their columns written side by side in one number: that takes half the time of
//! grouping by the columns, and no code can pass for another.
//!
//! The logical plan is built apart from its execution, so that another runner can be handed it.

use super::layout::Edition;
use super::{THREADS, TabulateError};
use crate::identity::FileId;
use crate::sensitive::Sensitive;
use crate::vault::{NARROW_CODES, RANK, Vault, Verified};
use async_trait::async_trait;
use datafusion::arrow::array::{AsArray as _, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef, UInt64Type};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Column, DataFusionError, Result as EngineResult};
use datafusion::config::EncryptionFactoryOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::parquet_encryption::EncryptionFactory;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionConfig;
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// The vault's files, as the engine calls them.
const STORE: &str = "vault://files";
/// The count of a group.
const COUNT: &str = "persons";
/// Bits of one key.
const KEY_BITS: u32 = 64;

/// The finest counts of a pass.
pub(super) struct Groups {
    /// By column: the code of each group.
    pub(super) codes: Vec<Vec<u16>>,
    /// The persons of each group.
    pub(super) counts: Vec<i64>,
}

/// The engine, with threads of its own: counting never holds up the service.
pub(super) struct Engine {
    vault: Vault,
    state: SessionState,
    runtime: Runtime,
}

impl Engine {
    /// Sets the engine up over a vault's files.
    pub(super) fn new(vault: &Vault, memory_bytes: usize) -> Result<Self, TabulateError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("count")
            .build()
            .map_err(|_| TabulateError::Engine)?;
        let state = session(vault, memory_bytes).map_err(|error| code(&error))?;
        Ok(Self { vault: vault.clone(), state, runtime })
    }

    /// Persons of an edition, which lies in these files, by the codes of some dimensions.
    pub(super) fn count(
        &self,
        edition: &Edition,
        verified: &[Verified],
        dims: &[usize],
    ) -> Result<Sensitive<Groups>, TabulateError> {
        let columns = dims.iter().map(|dim| Packed::of(edition, *dim)).collect::<Result<Vec<_>, _>>()?;
        let keys = keys(&columns);
        let segments =
            Segments { vault: Keys(self.vault.clone()), schema: edition.coding.schema(), files: files(verified) };
        let ranked = edition.coding.rows_max > 1;
        let batches = self.runtime.block_on(async {
            let logical = logical(Arc::new(segments), &keys, ranked)?;
            self.execute(&logical).await
        });
        groups(&batches.map_err(|error| code(&error))?, &keys)
    }

    /// Lets the threads go without waiting for them.
    pub(super) fn end(self) {
        self.runtime.shutdown_background();
    }

    /// Runs a plan here. A distributed runner would take the same plan.
    async fn execute(&self, logical: &LogicalPlan) -> EngineResult<Vec<RecordBatch>> {
        let physical = self.state.create_physical_plan(logical).await?;
        collect(physical, self.state.task_ctx()).await
    }
}

/// A column as part of a key: its codes take as many bits as they have in the segments.
struct Packed<'a> {
    column: &'a str,
    bits: u32,
}

impl<'a> Packed<'a> {
    fn of(edition: &'a Edition, dim: usize) -> Result<Self, TabulateError> {
        let (column, codes) = edition.codes(dim)?;
        Ok(Self { column, bits: if codes <= NARROW_CODES { u8::BITS } else { u16::BITS } })
    }
}

/// Columns side by side, in as few keys as hold them.
fn keys<'a>(columns: &'a [Packed<'a>]) -> Vec<&'a [Packed<'a>]> {
    let most = usize::try_from(KEY_BITS / u16::BITS).unwrap_or(1);
    let narrow = columns.iter().map(|column| column.bits).sum::<u32>() <= KEY_BITS;
    columns.chunks(if narrow { columns.len().max(1) } else { most }).collect()
}

/// The codes of a key's columns in one number, the first in its highest bits.
fn packed(key: &[Packed<'_>]) -> Expr {
    let code = |part: &Packed<'_>| cast(Expr::Column(Column::new_unqualified(part.column)), DataType::UInt64);
    let beside = |key: Option<Expr>, part: &Packed<'_>| match key {
        Some(key) => Some(key * lit(1_u64 << part.bits) + code(part)),
        None => Some(code(part)),
    };
    key.iter().fold(None, beside).unwrap_or_else(|| lit(0_u64))
}

/// Counts persons, who are their rows of rank 0, by these keys.
fn logical(segments: Arc<dyn TableProvider>, keys: &[&[Packed<'_>]], ranked: bool) -> EngineResult<LogicalPlan> {
    let column = |name: &str| Expr::Column(Column::new_unqualified(name));
    let mut plan = LogicalPlanBuilder::scan("edition", provider_as_source(segments), None)?;
    if ranked {
        plan = plan.filter(column(RANK).eq(lit(0_u16)))?;
    }
    let keys = keys.iter().enumerate().map(|(place, key)| packed(key).alias(key_name(place)));
    plan.aggregate(keys, [count(lit(1_i64)).alias(COUNT)])?.build()
}

fn key_name(place: usize) -> String {
    format!("key{place}")
}

fn session(vault: &Vault, memory_bytes: usize) -> EngineResult<SessionState> {
    let mut config = SessionConfig::new().with_target_partitions(THREADS).with_repartition_file_scans(false);
    let options = config.options_mut();
    options.execution.collect_statistics = false;
    options.execution.skip_partial_aggregation_probe_ratio_threshold = 1.0;
    options.execution.parquet.pruning = false;
    options.execution.parquet.enable_page_index = false;
    options.execution.parquet.bloom_filter_on_read = false;
    options.execution.parquet.pushdown_filters = false;
    options.optimizer.enable_dynamic_filter_pushdown = false;
    let runtime = RuntimeEnvBuilder::new()
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(memory_bytes)))
        .build_arc()?;
    let store = LocalFileSystem::new_with_prefix(vault.files())?;
    runtime.register_object_store(ObjectStoreUrl::parse(STORE)?.as_ref(), Arc::new(store));
    Ok(SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).build())
}

fn files(verified: &[Verified]) -> Vec<PartitionedFile> {
    verified.iter().map(Verified::entry).map(|file| PartitionedFile::new(file.id.as_str(), file.size)).collect()
}

fn groups(batches: &[RecordBatch], keys: &[&[Packed<'_>]]) -> Result<Sensitive<Groups>, TabulateError> {
    let columns = keys.iter().map(|key| key.len()).sum();
    let mut groups = Groups { codes: vec![Vec::new(); columns], counts: Vec::new() };
    for batch in batches {
        let mut columns = groups.codes.iter_mut();
        for (place, key) in keys.iter().enumerate() {
            let packed = batch.column_by_name(&key_name(place)).and_then(|key| key.as_primitive_opt::<UInt64Type>());
            let packed = packed.ok_or(TabulateError::Engine)?.values();
            let mut below = key.iter().map(|part| part.bits).sum::<u32>();
            for (part, codes) in key.iter().zip(&mut columns) {
                below = below.saturating_sub(part.bits);
                let code = |packed: &u64| u16::try_from((packed >> below) & ((1 << part.bits) - 1)).unwrap_or(u16::MAX);
                codes.extend(packed.iter().map(code));
            }
        }
        let counts = batch.column_by_name(COUNT).and_then(|counts| counts.as_primitive_opt::<Int64Type>());
        groups.counts.extend_from_slice(counts.ok_or(TabulateError::Engine)?.values());
    }
    Ok(Sensitive::new(groups))
}

/// What of an engine's error may be told.
fn code(error: &DataFusionError) -> TabulateError {
    if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) {
        TabulateError::Memory
    } else {
        TabulateError::Engine
    }
}

/// Exactly the segments of one edition, as a table.
#[derive(Debug)]
struct Segments {
    vault: Keys,
    schema: SchemaRef,
    files: Vec<PartitionedFile>,
}

#[async_trait]
impl TableProvider for Segments {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let mut options = state.default_table_options().parquet;
        options.global = state.config_options().execution.parquet.clone();
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_encryption_factory(Arc::new(self.vault.clone()));
        let mut groups = vec![Vec::new(); THREADS];
        for (place, file) in self.files.iter().enumerate() {
            if let Some(group) = groups.get_mut(place % THREADS) {
                group.push(file.clone());
            }
        }
        groups.retain(|group| !group.is_empty());
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(STORE)?, Arc::new(source))
            .with_file_groups(groups.into_iter().map(FileGroup::new).collect())
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// Looks file keys up in the vault when a file is opened; holds none.
#[derive(Clone)]
struct Keys(Vault);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

#[async_trait]
impl EncryptionFactory for Keys {
    async fn get_file_encryption_properties(
        &self,
        _config: &EncryptionFactoryOptions,
        _schema: &SchemaRef,
        _file_path: &Path,
    ) -> EngineResult<Option<Arc<FileEncryptionProperties>>> {
        Err(DataFusionError::NotImplemented("the engine writes nothing".to_owned()))
    }

    async fn get_file_decryption_properties(
        &self,
        _config: &EncryptionFactoryOptions,
        file_path: &Path,
    ) -> EngineResult<Option<Arc<FileDecryptionProperties>>> {
        let id = file_path.filename().and_then(|name| FileId::parse(name).ok());
        let properties = id.and_then(|id| self.0.decryption(&id).ok());
        properties.map(Some).ok_or_else(|| DataFusionError::Execution("no key".to_owned()))
    }
}
