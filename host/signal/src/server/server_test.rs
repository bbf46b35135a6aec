//! The server's description of itself.

use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn the_api_describes_each_of_its_addresses() {
    let described: Value = serde_json::from_str(include_str!("api/openapi.json")).unwrap();
    let described: BTreeSet<&str> =
        described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let routes = include_str!("routes.rs");
    let routed = routes.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    // For people, and the same under another name.
    let routed: BTreeSet<&str> =
        routed.filter(|path| !["/", "/assets/signal.css", "/readyz"].contains(path)).collect();
    assert_eq!(described, routed);
}
