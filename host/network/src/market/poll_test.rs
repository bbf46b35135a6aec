//! Servers that answer as each service documents it, and worse.

use super::sources::parse_sources;
use super::{Polled, Poller, Source, default_sources};
use axum::Router;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use mantis_config::Config;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The services, all on one loopback server.
async fn services() -> String {
    let polygon_crypto = get(|headers: HeaderMap, RawQuery(query): RawQuery| async move {
        if headers.get("authorization").is_none_or(|key| key != "Bearer pkey") {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let query = query.unwrap_or_default();
        assert!(query.contains("X:BTCUSD,X:ETHUSD"), "{query}");
        Ok(r#"{"status":"OK","tickers":[
            {"ticker":"X:ETHUSD","day":{"c":2999.1},"lastTrade":{"c":[2],"i":"1","p":3000.5,"s":0.1,"t":1,"x":1}},
            {"ticker":"X:BTCUSD","day":{"c":1.0},"lastTrade":{"c":[2],"i":"1","p":60000,"s":0.1,"t":1,"x":1}},
            {"ticker":"X:SOLUSD","day":{"c":1.0},"lastTrade":{"p":0}}]}"#)
    });
    let polygon_forex = get(|| async {
        r#"{"status":"OK","tickers":[
            {"ticker":"C:USDCAD","lastQuote":{"a":1.26,"b":1.24,"t":1,"x":48}},
            {"ticker":"C:NZDUSD","lastQuote":{"a":0.61,"b":0.59,"t":1,"x":48}},
            {"ticker":"C:USDCHF","lastQuote":{"a":0,"b":0,"t":1,"x":48}}]}"#
    });
    let okx = get(|RawQuery(query): RawQuery| async move {
        match query.as_deref() {
            Some("instId=BTC-USDT-SWAP") => {
                r#"{"code":"0","data":[{"fundingRate":"0.0001","fundingTime":"1","instId":"BTC-USDT-SWAP",
                "instType":"SWAP","nextFundingRate":"","method":"current_period"}],"msg":""}"#
            }
            _ => r#"{"code":"51001","data":[],"msg":"Instrument ID does not exist"}"#,
        }
    });
    let hyperliquid = post(|body: Bytes| async move {
        assert_eq!(&body[..], br#"{"type":"metaAndAssetCtxs"}"#);
        r#"[{"universe":[{"szDecimals":5,"name":"BTC","maxLeverage":40},{"name":"kPEPE"},{"name":"ETH"}]},
            [{"funding":"0.0000125","markPx":"60000"},{"funding":"-0.00001"},{"funding":"0.00002"}]]"#
    });
    let coinglass = get(|headers: HeaderMap, RawQuery(query): RawQuery| async move {
        assert_eq!(headers.get("cg-api-key").map(|key| key.as_bytes()), Some(b"ckey".as_slice()));
        assert!(query.unwrap_or_default().starts_with("symbol="));
        r#"{"code":"0","data":[{"symbol":"BTC","stablecoin_margin_list":[
            {"exchange":"OKX","funding_rate_interval":8,"funding_rate":0.5},
            {"exchange":"Binance","funding_rate_interval":8,"funding_rate":0.01,"next_funding_time":1}],
            "token_margin_list":[]}]}"#
    });
    let keyed = get(|RawQuery(query): RawQuery| async move {
        if query.as_deref() == Some("k=pkey") { r#"{"BTC":"7"}"# } else { "{}" }
    });
    let router = Router::new()
        .route("/v2/snapshot/locale/global/markets/crypto/tickers", polygon_crypto)
        .route("/v2/snapshot/locale/global/markets/forex/tickers", polygon_forex)
        .route("/api/v5/public/funding-rate", okx)
        .route("/info", hyperliquid)
        .route("/api/futures/funding-rate/exchange-list", coinglass)
        .route("/keyed", keyed)
        .route("/html", get(|| async { "<html>" }))
        .route("/silent", get(std::future::pending::<&str>));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

fn config() -> Config {
    Config::load("../../challenges.toml").unwrap()
}

async fn poll(sources: &[Source], keys: &'static [(&'static str, &'static str)]) -> Polled {
    let key =
        move |name: &str| keys.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let poller = Poller::with_keys(Duration::from_secs(2), Arc::new(key)).unwrap();
    poller.poll(sources).await
}

const KEYS: &[(&str, &str)] = &[("POLYGON_API_KEY", "pkey"), ("COINGLASS_API_KEY", "ckey")];

/// A preset with these assets, asked at our server.
async fn preset(name: &str, assets: &str) -> Polled {
    let text = format!("[[feed.source]]\npreset = \"{name}\"\nassets = [{assets}]\n");
    let mut sources = parse_sources(&text, &config()).unwrap();
    let base = services().await;
    for source in &mut sources {
        let path = source.url.splitn(4, '/').nth(3).unwrap().to_owned();
        source.url = format!("{base}/{path}");
    }
    poll(&sources, KEYS).await
}

fn numbers<const N: usize>(pairs: [(&str, f64); N]) -> BTreeMap<String, f64> {
    pairs.map(|(asset, x)| (asset.to_owned(), x)).into()
}

#[tokio::test]
async fn polygon_gives_prices_of_coins() {
    let polled = preset("polygon-crypto", "\"BTC\", \"ETH\", \"SOL\", \"TAO\"").await;
    assert_eq!(polled.quotes.prices, numbers([("BTC", 60000.0), ("ETH", 3000.5)]));
    let expected = [
        "polygon-crypto: SOL is left out: 0 is not a number for it",
        "polygon-crypto: TAO is left out: its answer has no row named X:TAOUSD",
    ];
    assert_eq!(polled.warnings, expected);
}

#[tokio::test]
async fn polygon_gives_currencies_either_way_round() {
    let polled = preset("polygon-forex", "\"CADUSD\", \"NZDUSD\", \"CHFUSD\", \"XAGUSD\"").await;
    assert_eq!(polled.quotes.prices, numbers([("CADUSD", 0.8), ("NZDUSD", 0.6)]));
    assert_eq!(polled.warnings.len(), 2, "{:?}", polled.warnings);
    assert!(polled.warnings[0].contains("CHFUSD is left out"), "{:?}", polled.warnings);
}

#[tokio::test]
async fn okx_gives_funding_rates_contract_by_contract() {
    let polled = preset("okx-funding", "\"BTC\", \"NOPE\"").await;
    assert_eq!(polled.quotes.funding_rates, numbers([("BTC", 0.0001)]));
    assert_eq!(
        polled.warnings,
        ["okx-funding: NOPE is left out: its answer has no number at /data/0/fundingRate"]
    );
}

#[tokio::test]
async fn hyperliquid_gives_eight_hours_of_funding() {
    let polled = preset("hyperliquid-funding", "\"BTC\", \"ETH\", \"PEPE\"").await;
    assert_eq!(polled.quotes.funding_rates, numbers([("BTC", 0.0001), ("ETH", 0.00016), ("PEPE", -0.00008)]));
    assert_eq!(polled.warnings, [""; 0]);
}

#[tokio::test]
async fn coinglass_gives_percent_of_one_exchange() {
    let polled = preset("coinglass-funding", "\"BTC\"").await;
    assert_eq!(polled.quotes.funding_rates, numbers([("BTC", 0.0001)]));
}

#[tokio::test]
async fn sources_stand_in_for_each_other_and_fail_alone() {
    let base = services().await;
    let text = format!(
        r#"
        [[feed.source]]
        label = "dead"
        into = "prices"
        url = "{base}/silent"
        assets = ["BTC"]
        pointer = "/{{symbol}}"

        [[feed.source]]
        label = "page"
        into = "prices"
        url = "{base}/html"
        assets = ["BTC"]
        pointer = "/{{symbol}}"

        [[feed.source]]
        label = "first"
        into = "prices"
        url = "{base}/keyed"
        assets = ["BTC"]
        pointer = "/{{symbol}}"
        key_env = "POLYGON_API_KEY"
        key_query = "k"

        [[feed.source]]
        label = "second"
        into = "prices"
        url = "{base}/keyed"
        assets = ["BTC"]
        pointer = "/{{symbol}}"
        key_env = "POLYGON_API_KEY"
        key_query = "k"
        multiplier = 1000

        [[feed.source]]
        label = "locked"
        into = "prices"
        url = "{base}/keyed"
        assets = ["BTC"]
        pointer = "/BTC"
        key_env = "NOT_SET"
        key_query = "k"
        "#
    );
    let polled = poll(&parse_sources(&text, &config()).unwrap(), KEYS).await;
    assert_eq!(polled.quotes.prices, numbers([("BTC", 7.0)]));
    let expected = [
        "dead: the server did not send it all in time",
        "page: its answer is not JSON: expected value at line 1 column 1",
        "locked: no key: set the environment variable NOT_SET",
    ];
    assert_eq!(polled.warnings, expected);
}

#[test]
fn presets_ask_for_what_the_challenges_need() {
    let config = config();
    let sources = default_sources(&config);
    let counts: Vec<_> = sources.iter().map(|s| (s.label.as_str(), s.assets.len())).collect();
    let expected =
        [("polygon-crypto", 33), ("polygon-forex", 4), ("okx-funding", 20), ("hyperliquid-funding", 20)];
    assert_eq!(counts, expected);
    assert!(
        sources[0].assets.contains(&"TAO".to_string()) && sources[1].assets.contains(&"XAGUSD".to_string())
    );
}

#[test]
fn faults_of_a_file_are_named() {
    let says = |text: &str| parse_sources(text, &config()).unwrap_err();
    let source = |lines: &str| says(&format!("[[feed.source]]\n{lines}"));
    assert!(source("preset = \"okx\"").contains("no preset is called \"okx\"; there are polygon-crypto,"));
    assert!(source("url = \"https://a\"").contains("[[feed.source]] 1: `into` is missing"));
    assert!(source("into = \"prices\"\nurl = \"https://a\"").contains("`pointer` is missing"));
    assert!(
        source("preset = \"okx-funding\"\npointer = \"data\"").contains("\"data\" is not a JSON pointer")
    );
    assert!(source("preset = \"okx-funding\"\nmultiplier = 0").contains("`multiplier` must be"));
    assert!(source("preset = \"okx-funding\"\nkey_env = \"K\"").contains("`key_env` needs"));
    assert!(source("preset = \"okx-funding\"\nurl = \"a\"").contains("must begin with https://"));
    assert!(source("wrong = 1").contains("unknown field `wrong`"));
    assert!(says("").contains("missing field `feed`"));
}
