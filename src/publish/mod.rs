//! HTTP.

/// Stands in until it is merged.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {}

/// Stands in until it is merged.
///
/// # Errors
/// Always.
#[expect(clippy::unused_async, reason = "stands in")]
pub async fn serve(
    _office: crate::office::Office,
    _settings: HttpSettings,
    _listener: std::net::TcpListener,
) -> std::io::Result<()> {
    Err(std::io::Error::other("not merged yet"))
}
