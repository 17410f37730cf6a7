//! The other side: `DataFusion` alone, warm, over the same rows as plain Parquet, coded as narrowly as ours.

use crate::register;
use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt8Array, UInt32Array};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{avg, count, count_distinct};
use datafusion::logical_expr::{col, lit};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use parquet::arrow::ArrowWriter;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Rows of one file.
const FILE_ROWS: usize = 1 << 19;

/// `DataFusion` over the two tables.
pub struct Plain(SessionContext);

impl Plain {
    /// Writes the tables and opens them.
    pub async fn over(folder: &Path, persons: u64) -> Result<Self> {
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
        let (of_persons, of_visits) = (folder.join("plain-persons"), folder.join("plain-visits"));
        let rows = (0..persons).map(|number| {
            let (codes, wage) = register::person(number);
            (number, codes.to_vec(), Some(wage))
        });
        write(&of_persons, register::PERSONS.map(|(name, _)| name).as_slice(), rows)?;
        let rows =
            (0..persons).flat_map(|number| register::visits(number).map(move |codes| (number, codes.to_vec(), None)));
        write(&of_visits, register::VISITS.map(|(name, _)| name).as_slice(), rows)?;
        for (name, path) in [("persons", of_persons), ("visits", of_visits)] {
            context.register_parquet(name, path.to_string_lossy(), ParquetReadOptions::default()).await?;
        }
        Ok(Self(context))
    }

    /// Rows by columns; gives the number of groups.
    pub async fn rows_by(&self, table: &str, columns: &[&str]) -> Result<usize> {
        let by = columns.iter().map(|name| col(*name)).collect();
        let counted = self.0.table(table).await?.aggregate(by, vec![count(lit(1))])?.collect().await?;
        Ok(counted.iter().map(RecordBatch::num_rows).sum())
    }

    /// The mean of the wage by columns; gives the number of groups.
    pub async fn mean_by(&self, table: &str, columns: &[&str]) -> Result<usize> {
        let by = columns.iter().map(|name| col(*name)).collect();
        let counted = self.0.table(table).await?.aggregate(by, vec![avg(col("wage"))])?.collect().await?;
        Ok(counted.iter().map(RecordBatch::num_rows).sum())
    }

    /// Distinct persons by columns; gives the number of groups.
    pub async fn persons_by(&self, table: &str, columns: &[&str]) -> Result<usize> {
        let by = columns.iter().map(|name| col(*name)).collect();
        let counted = self.0.table(table).await?.aggregate(by, vec![count_distinct(col("person"))])?.collect().await?;
        Ok(counted.iter().map(RecordBatch::num_rows).sum())
    }
}

type Row = (u64, Vec<u64>, Option<u64>);

fn write(folder: &Path, columns: &[&str], mut rows: impl Iterator<Item = Row>) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for file in 0.. {
        let chunk: Vec<Row> = rows.by_ref().take(FILE_ROWS).collect();
        if chunk.is_empty() {
            break;
        }
        let persons = chunk.iter().map(|row| row.0 as u32);
        let mut arrays: Vec<(&str, ArrayRef)> = vec![("person", Arc::new(UInt32Array::from_iter_values(persons)))];
        for (place, name) in columns.iter().enumerate() {
            let codes = chunk.iter().map(|row| row.1[place] as u8);
            arrays.push((name, Arc::new(UInt8Array::from_iter_values(codes))));
        }
        if chunk[0].2.is_some() {
            let wages = chunk.iter().map(|row| row.2.unwrap_or_default() as i64);
            arrays.push(("wage", Arc::new(Int64Array::from_iter_values(wages))));
        }
        let batch = RecordBatch::try_from_iter(arrays)?;
        let mut writer =
            ArrowWriter::try_new(File::create(folder.join(format!("{file:03}.parquet")))?, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
    }
    Ok(())
}
