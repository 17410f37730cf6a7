//! The formats of a release. Each is written from the one published body, so that none can show more than another.
//!
//! # Guarantee
//! A withheld cell has no figure in the body, and so in no format. The bytes of a format depend on the release and the
//! options alone.

mod csv;
#[cfg(test)]
pub(super) use csv::tests::release as sample;

use super::problem::Problem;
use crate::identity::{Digest, ReleaseId};
use crate::release::Release;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;

/// A format of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The document itself.
    Json,
    /// One line a cell, RFC 4180.
    Csv,
}

impl Format {
    /// Every format, the preferred first.
    pub const ALL: [Self; 2] = [Self::Json, Self::Csv];

    /// The suffix of an address.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The format of a suffix.
    ///
    /// # Errors
    /// 404, naming those there are.
    pub fn of_suffix(suffix: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|format| format.suffix() == suffix);
        found.ok_or_else(|| {
            let detail = format!("there is no such format; there are {}", Self::ALL.map(Self::suffix).join(", "));
            Problem::new(StatusCode::NOT_FOUND, "format_unknown", detail)
        })
    }

    /// The format that an `Accept` header likes best (RFC 9110, section 12.5.1).
    ///
    /// # Errors
    /// 406, naming those there are.
    pub fn of_accept(accept: Option<&str>) -> Result<Self, Problem> {
        let Some(accept) = accept else { return Ok(Self::Json) };
        let likings = Self::ALL.map(|format| (liking(accept, format), format));
        let best = likings.into_iter().filter(|(liking, _)| *liking > 0).reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.map(|(_, format)| format).ok_or_else(|| {
            let kinds = Self::ALL.map(Self::essence).join(", ");
            Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", format!("there are {kinds}"))
        })
    }

    fn essence(self) -> &'static str {
        self.media_type().split(';').next().unwrap_or_default()
    }
}

/// Thousandths of liking, by the most specific range that covers the format.
fn liking(accept: &str, format: Format) -> u16 {
    let essence = format.essence();
    let family = essence.split('/').next().map(|family| format!("{family}/*")).unwrap_or_default();
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let specific = if name == essence {
            3
        } else if name == family {
            2
        } else {
            u8::from(name == "*/*")
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1_000), thousandths)?;
        (specific > 0).then_some((specific, quality))
    });
    ranges.max_by_key(|(specific, _)| *specific).map_or(0, |(_, quality)| quality)
}

fn thousandths(quality: &str) -> Option<u16> {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| fraction.len() <= 3)?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1_000),
        _ => None,
    }
}

/// What may be chosen beside the format.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// CSV with a byte order mark.
    pub bom: bool,
    /// CSV with names of codes in this language.
    pub names: Option<&'a str>,
}

/// A release written in a format.
#[derive(Debug, Clone)]
pub struct Rendered {
    id: ReleaseId,
    log_index: u64,
    format: Format,
    bytes: Bytes,
    etag: String,
}

impl Rendered {
    /// Writes a release.
    ///
    /// # Errors
    /// A fault if the stored body is not what it was.
    pub fn of(release: &Release, format: Format, options: &Options<'_>) -> Result<Self, Problem> {
        let unreadable = |error: serde_json::Error| Problem::fault("release_unreadable", &error);
        let document = release.document().map_err(unreadable)?;
        let sha256 = release.sha256();
        let (bytes, etag) = match format {
            Format::Json => {
                // a notice changes the document but not the body: a cache must not hide that a release was superseded
                let etag = release.notice().map_or(sha256, |_| Digest::of(&document));
                (document, etag)
            }
            Format::Csv => {
                let bytes = csv::write(&release.body().map_err(unreadable)?, sha256, options);
                let bytes = bytes.map_err(|error| Problem::fault("not_writable", &error))?;
                let etag = Digest::of(&bytes);
                (bytes, etag)
            }
        };
        let (id, log_index) = (release.id().clone(), release.log_index());
        Ok(Self { id, log_index, format, bytes: bytes.into(), etag: format!("\"{etag}\"") })
    }

    /// Where the release is.
    #[must_use]
    pub fn address(&self) -> String {
        format!("/v1/releases/{}", self.id)
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The leaf in the log.
    #[must_use]
    pub fn log_index(&self) -> u64 {
        self.log_index
    }

    /// The bytes; shared, not copied, by whoever sends them.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The strong entity tag of these very bytes.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_liked_best_is_given() {
        let chosen = |accept: &str| Format::of_accept(Some(accept)).map_err(|problem| problem.document().status);
        assert_eq!(Format::of_accept(None).unwrap(), Format::Json);
        assert_eq!(chosen("*/*"), Ok(Format::Json));
        assert_eq!(chosen("text/csv"), Ok(Format::Csv));
        assert_eq!(chosen("text/*;q=0.9, application/json;q=0.5"), Ok(Format::Csv));
        assert_eq!(chosen("application/json;q=0, */*"), Ok(Format::Csv));
        assert_eq!(chosen("text/html, */*;q=0.1"), Ok(Format::Json));
        assert_eq!(chosen("application/pdf"), Err(406));
        assert_eq!(chosen("text/csv;q=0"), Err(406));
        assert_eq!(Format::of_suffix("exe").unwrap_err().document().status, 404);
    }

    /// G11: what is shown of a release is the same bytes each time, and a tag stands for its very bytes.
    #[test]
    fn a_tag_stands_for_the_very_bytes() {
        let shown = |notice: Option<&str>, format| {
            let release = csv::tests::release(notice.map(str::to_owned));
            let rendered = Rendered::of(&release, format, &Options::default()).unwrap();
            (rendered.etag().to_owned(), rendered.bytes().to_vec())
        };
        let body = csv::tests::release(None);
        let plain = shown(None, Format::Json);
        assert_eq!(plain, (format!("\"{}\"", body.sha256()), body.document().unwrap()));
        assert_eq!(plain, shown(None, Format::Json));
        let superseded = shown(Some("superseded by edition 2"), Format::Json);
        assert_ne!(plain.0, superseded.0, "a cache must ask again");
        assert!(String::from_utf8(superseded.1).unwrap().contains("superseded by edition 2"));
        assert_ne!(plain.0, shown(None, Format::Csv).0);
    }
}
