//! Nodes that fail in every way, beside one that does not: the next one takes over within a minute.

use mantis_network::chain::{Chain, ChainSettings, Subtensor};
use mantis_tests::localnet::{self, Localnet, free_port};
use mantis_tests::need::Need;
use mantis_tests::proxy::{Mode, Proxy};
use mantis_tests::suite::Trial;
use mantis_tests::{note, runtime, trial};
use std::time::{Duration, Instant};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![trial!(a_node_that_fails_is_replaced_within_a_minute).needs(Need::Chopsticks).takes(50)]
}

/// Trials of each kind of failure, which go on at the same time; `MANTIS_TEST_ROUNDS` says how often.
const TRIALS: usize = 2;
/// The limit.
const LONGEST: Duration = Duration::from_secs(60);
/// A service's time between two looks.
const BETWEEN: Duration = Duration::from_secs(2);

/// What a node does.
#[derive(Clone, Copy, Debug)]
enum Failure {
    /// It takes everything in, and says nothing.
    Swallows,
    /// It breaks off every connection.
    Resets,
    /// It answers a byte at a time.
    Drips,
    /// It belongs to another chain.
    IsOfAnotherChain,
    /// It says that it is asked too much.
    IsAskedTooMuch,
}

const ALL: [Failure; 5] =
    [Failure::Swallows, Failure::Resets, Failure::Drips, Failure::IsOfAnotherChain, Failure::IsAskedTooMuch];

impl Failure {
    fn mode(self, genesis: &str) -> Mode {
        match self {
            Self::Swallows => Mode::Swallow,
            Self::Resets => Mode::Reset,
            Self::Drips => Mode::Drip(Duration::from_millis(250)),
            Self::IsOfAnotherChain => {
                let other: String = genesis.chars().rev().collect();
                Mode::Replace(genesis.as_bytes().to_vec(), other.into_bytes())
            }
            Self::IsAskedTooMuch => Mode::Say(
                b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n".to_vec(),
            ),
        }
    }
}

/// One node fails while it is used, and one more that is next; how long it takes until the third answers.
async fn replaced(good: u16, failure: Failure, genesis: String) -> Duration {
    let (used, next) = (Proxy::start(good), Proxy::start(good));
    let network = format!("ws://127.0.0.1:{},ws://127.0.0.1:{},ws://127.0.0.1:{good}", used.port, next.port);
    let client = Subtensor::new(&network, ChainSettings::new(123, 0), None).unwrap();
    client.head().await.unwrap();
    next.set(failure.mode(&genesis));
    match failure {
        // Of a connection that stands it is known which chain it leads to.
        Failure::IsOfAnotherChain | Failure::IsAskedTooMuch => used.set(Mode::Reset),
        _ => used.set(failure.mode(&genesis)),
    }
    let since = Instant::now();
    loop {
        match client.head().await {
            Ok(_) => return since.elapsed(),
            Err(error) if since.elapsed() > 2 * LONGEST => panic!("{failure:?}: {error}"),
            Err(_) => tokio::time::sleep(BETWEEN).await,
        }
    }
}

fn a_node_that_fails_is_replaced_within_a_minute() {
    let tools = localnet::tools().unwrap();
    let rounds = std::env::var("MANTIS_TEST_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    runtime().block_on(async {
        let mut chain = Localnet::start(&tools, free_port(), &["--tempo", "0", "--mode", "Manual"]);
        let url = format!("ws://127.0.0.1:{}", chain.port);
        let reader = Subtensor::new(&url, ChainSettings::new(123, 0), None).unwrap();
        let genesis = reader.genesis().await.unwrap().unwrap();
        let genesis = genesis.trim_start_matches("0x").to_owned();
        for _ in 0..rounds {
            let all = ALL.into_iter().flat_map(|failure| std::iter::repeat_n(failure, TRIALS));
            let running: Vec<_> = all
                .map(|failure| (failure, tokio::spawn(replaced(chain.port, failure, genesis.clone()))))
                .collect();
            for (failure, trial) in running {
                let took = trial.await.unwrap();
                note!("{failure:?}: replaced after {:.1} s", took.as_secs_f64());
                assert!(took < LONGEST, "{failure:?}: replaced after {took:?}");
            }
        }
        chain.stop();
    });
}
