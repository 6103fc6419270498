//! A small HTTP proxy on loopback: forwards what it is asked for by a whole URL, and makes tunnels.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Serves until it is dropped; keeps the head of each connection's first request.
pub(in crate::forward) struct Proxy {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Proxy {
    /// A proxy that serves everybody.
    pub(in crate::forward) async fn start() -> Self {
        Self::serve(None).await
    }

    /// A proxy that serves only whose `Proxy-Authorization` is `wanted`.
    pub(in crate::forward) async fn guarded(wanted: &'static str) -> Self {
        Self::serve(Some(wanted)).await
    }

    /// Its URL with `user`, as `me:password@`.
    pub(in crate::forward) fn url(&self, user: &str) -> String {
        format!("http://{user}{}", self.address)
    }

    pub(in crate::forward) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    async fn serve(wanted: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&heads);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(pass_on(stream, wanted, Arc::clone(&kept)));
            }
        });
        Self {
            address,
            heads,
            _serving: serving,
        }
    }
}

async fn pass_on(stream: TcpStream, wanted: Option<&str>, kept: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap() > 0 {}
    kept.lock().unwrap().push(head.clone());
    let (method, rest) = head.split_once(' ').unwrap();
    let (target, rest) = rest.split_once(' ').unwrap();
    let allowed = wanted.is_none_or(|wanted| {
        let line = format!("proxy-authorization: {wanted}");
        head.lines().any(|known| known.eq_ignore_ascii_case(&line))
    });
    if !allowed {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(refusal).await.unwrap();
        return;
    }
    if method == "CONNECT" {
        let mut remote = TcpStream::connect(target).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut remote).await;
        return;
    }
    let (host, path) = target.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut remote = TcpStream::connect(host).await.unwrap();
    let head = format!("{method} /{path} {rest}");
    remote.write_all(head.as_bytes()).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut remote).await;
}
