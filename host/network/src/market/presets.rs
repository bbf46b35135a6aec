//! Sources that need no more than their name, as their services document them.

use super::raw::{Into, Pointer, Raw};

pub(super) const NAMES: [&str; 5] =
    ["polygon-crypto", "polygon-forex", "okx-funding", "hyperliquid-funding", "coinglass-funding"];

/// The preset of that name.
pub(super) fn find(name: &str) -> Option<Raw> {
    let text = |text: &str| Some(text.to_owned());
    let pairs = |pairs: &[(&str, &str)]| {
        Some(pairs.iter().map(|(asset, symbol)| ((*asset).to_owned(), (*symbol).to_owned())).collect())
    };
    let polygon = |market: &str| Raw {
        into: Some(Into::Prices),
        url: Some(format!(
            "https://api.polygon.io/v2/snapshot/locale/global/markets/{market}/tickers?tickers={{symbols}}"
        )),
        rows: text("/tickers"),
        name: text("/ticker"),
        key_env: text("POLYGON_API_KEY"),
        key_header: text("Authorization"),
        key_prefix: text("Bearer "),
        ..Raw::default()
    };
    let funding = Raw { into: Some(Into::FundingRates), ..Raw::default() };
    Some(match name {
        // The last trade of each coin.
        "polygon-crypto" => Raw {
            symbol: text("X:{asset}USD"),
            pointer: Some(Pointer::One("/lastTrade/p".into())),
            ..polygon("crypto")
        },
        // The middle of ask and bid. Canada's and Switzerland's currencies are quoted per dollar.
        "polygon-forex" => Raw {
            symbol: text("C:{asset}"),
            symbols: pairs(&[("CADUSD", "C:USDCAD"), ("CHFUSD", "C:USDCHF")]),
            invert: Some(["CADUSD", "CHFUSD"].map(String::from).into()),
            pointer: Some(Pointer::Several(["/lastQuote/a", "/lastQuote/b"].map(String::from).into())),
            ..polygon("forex")
        },
        // The rate of the running period, 8 hours for most contracts.
        "okx-funding" => Raw {
            url: text("https://www.okx.com/api/v5/public/funding-rate?instId={symbol}"),
            symbol: text("{asset}-USDT-SWAP"),
            pointer: Some(Pointer::One("/data/0/fundingRate".into())),
            ..funding
        },
        // Hourly: eight of them make 8 hours. Coins of small value are listed by the thousand, at the same rate.
        "hyperliquid-funding" => Raw {
            url: text("https://api.hyperliquid.xyz/info"),
            body: text(r#"{"type":"metaAndAssetCtxs"}"#),
            symbols: pairs(&[("PEPE", "kPEPE"), ("SHIB", "kSHIB")]),
            names: text("/0/universe"),
            name: text("/name"),
            rows: text("/1"),
            pointer: Some(Pointer::One("/funding".into())),
            multiplier: Some(8.0),
            ..funding
        },
        // In percent, as of Binance.
        "coinglass-funding" => Raw {
            url: text(
                "https://open-api-v4.coinglass.com/api/futures/funding-rate/exchange-list?symbol={symbol}",
            ),
            rows: text("/data/0/stablecoin_margin_list"),
            name: text("/exchange"),
            row: text("Binance"),
            pointer: Some(Pointer::One("/funding_rate".into())),
            multiplier: Some(0.01),
            key_env: text("COINGLASS_API_KEY"),
            key_header: text("CG-API-KEY"),
            ..funding
        },
        _ => return None,
    })
}
