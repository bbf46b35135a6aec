//! A server that can be stopped.

use axum::Router;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Connections that may wait to be taken: a round of a whole metagraph comes at once.
const QUEUE: u32 = 1024;

/// A running server; it ends when it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves on a free port of 127.0.0.1.
    pub(super) async fn start(router: Router) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = socket.listen(QUEUE)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = axum::serve(listener, router).with_graceful_shutdown(async {
            // A dropped sender stops it as well.
            let _ = stopped.await;
        });
        let running = tokio::spawn(async move { serve.await });
        Ok(Self { address, stop, running })
    }

    /// Takes no more connections, and waits for the requests under way.
    pub(super) async fn stop(self) {
        // A server that has ended needs no stopping.
        let _ = self.stop.send(());
        let _ = self.running.await;
    }
}
