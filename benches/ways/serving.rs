//! Requests a second over loopback: a few connections kept open, each asking again as soon as it was answered.

use actix_web::{App, HttpResponse, HttpServer, web};
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Connections of the client.
const CONNECTIONS: usize = 8;
/// How long one measurement takes.
const SPAN: Duration = Duration::from_secs(1);

/// Serves the same bytes at every address, with nothing around them: what any server of this kind must do at least.
pub async fn serve_bytes(bytes: Vec<u8>, listener: TcpListener) -> std::io::Result<()> {
    let bytes = web::Bytes::from(bytes);
    let server = HttpServer::new(move || {
        let bytes = bytes.clone();
        App::new().default_service(web::to(move || {
            let bytes = bytes.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(bytes) }
        }))
    });
    let server = server.workers(2).disable_signals().listen(listener)?.run();
    server.await
}

/// Requests of a path answered with 200 in a second.
pub fn per_second(address: SocketAddr, path: &str) -> Result<f64, Box<dyn Error + Send + Sync>> {
    let began = Instant::now();
    let answered = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(|| client(address, path))).collect();
        clients.into_iter().try_fold(0, |sum, client| {
            Ok::<_, Box<dyn Error + Send + Sync>>(sum + client.join().map_err(|_| "a client broke")??)
        })
    })?;
    Ok(f64::from(answered) / began.elapsed().as_secs_f64())
}

fn client(address: SocketAddr, path: &str) -> Result<u32, Box<dyn Error + Send + Sync>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let (began, mut answered, mut line, mut body) = (Instant::now(), 0, String::new(), Vec::new());
    while began.elapsed() < SPAN {
        stream.write_all(request.as_bytes())?;
        let mut length = 0_usize;
        for head in 0.. {
            line.clear();
            reader.read_line(&mut line)?;
            if head == 0 && !line.starts_with("HTTP/1.1 200") {
                return Err(format!("{path}: {}", line.trim_end()).into());
            }
            if line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
        answered += 1;
    }
    Ok(answered)
}
