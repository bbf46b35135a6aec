//! The page as a whole: hostile names, sizes, agreement with what it was made from.

use super::{Input, html};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mantis_config::{Block, Config, Sidx};
use mantis_ledger::{Ledger, NewRow, Rejection, Sample, SampledBlock, Stage};
use mantis_plugin_api::{Description, Salience, WhyZero};
use mantis_weights::{Neuron, Outcome, SettleRules, settle};
use mantis_weights::{Scored, Scores};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

const EVIL: &str =
    "</style><script src=\"http://x/\">alert('1')</script>&amp;<b id=\"s-summary\">\u{0}\u{202e}]]><!--";

fn config() -> Config {
    Config::parse(include_str!("../../../../challenges.toml"), Path::new("challenges.toml")).unwrap()
}

struct ReportWorld {
    _dir: tempfile::TempDir,
    config: Config,
    ledger: Ledger,
    scores: Scores,
    outcome: Outcome,
    about: BTreeMap<String, String>,
}

impl ReportWorld {
    /// So many miners named by `hotkey`, each with `facts` numbers and texts of `text` in every challenge, one of three
    /// unpaid, and `refusals` refusals for each.
    fn new(
        hotkey: impl Fn(usize) -> String,
        miners: usize,
        facts: usize,
        text: &str,
        refusals: usize,
    ) -> Self {
        let config = config();
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let hotkeys: Vec<String> = (0..miners).map(hotkey).collect();
        let data = [("BTC".to_owned(), 1.5), ("ETH".to_owned(), 2.25)];
        let record = |ticker: &String, k: i64| NewRow {
            ticker: ticker.clone(),
            price: Some(100.0 + (k % 9) as f64),
            price_data: Some(data.to_vec()),
            ..NewRow::default()
        };
        let step = |k| SampledBlock {
            block: Block(5 * k),
            sidx: Sidx(k),
            rows: config.challenges.iter().map(|c| record(&c.ticker, k)).collect(),
        };
        ledger.append_many((1000..1500).map(step).collect::<Vec<_>>(), 500).unwrap();
        for k in 0..refusals as i64 {
            let refuse = |hotkey: &String| Rejection {
                hotkey: hotkey.clone(),
                stage: Stage::Open,
                ticker: text.into(),
                code: text.into(),
                detail: text.repeat(4),
            };
            let mut sample = Sample { step: step(2000 + 20 * k), ..Sample::default() };
            sample.rejections = hotkeys.iter().map(refuse).collect();
            ledger.sample(&sample).unwrap();
        }
        let weights: BTreeMap<String, f64> = config.weights().into_iter().collect();
        let scored = |(c, challenge): (usize, &mantis_config::Challenge)| {
            let mut salience = Salience::new(miners);
            salience.fact(text, 0.5);
            for m in 0..miners {
                if (m + c) % 3 == 0 {
                    salience.zero(m, WhyZero::new(text, format!("{text} {m}")));
                } else {
                    salience.set(m, (m + 2 * c + 1) as f64);
                }
                for f in 0..facts {
                    salience.note(m, &format!("{text}_{f}"), 0.123_456 + m as f64);
                }
            }
            Scored {
                ticker: challenge.ticker.clone(),
                weight: weights[&challenge.ticker],
                hotkeys: hotkeys.clone(),
                salience: Some(salience),
                skipped: (c == 1).then(|| text.to_owned()),
                description: Some(Description::new("x", text, text)),
                seconds: 1.5,
                ..Scored::default()
            }
        };
        let challenges: Vec<Scored> = config.challenges.iter().enumerate().map(scored).collect();
        let scores = Scores::new(challenges, 4096);
        let metagraph = (1..).zip(&hotkeys).map(|(uid, hotkey)| Neuron { uid, hotkey: hotkey.clone() });
        let burn = Neuron { uid: 0, hotkey: "(burn)".into() };
        let input = mantis_weights::Input {
            salience: scores.total.clone(),
            burn: scores.burn,
            metagraph: [burn].into_iter().chain(metagraph).collect(),
            first_block: BTreeMap::new(),
            block: Block(7500),
            previous: Some(BTreeMap::from([(hotkeys[0].clone(), 0.5)])),
        };
        let outcome = settle(&input, &SettleRules::default()).unwrap();
        let about = hotkeys.iter().map(|hotkey| (hotkey.clone(), text.to_owned())).collect();
        Self { _dir: dir, config, ledger, scores, outcome, about }
    }

    fn page(&self, title: &str) -> String {
        html(&Input {
            title,
            config: &self.config,
            ledger: &self.ledger,
            scores: &self.scores,
            outcome: &self.outcome,
            about: &self.about,
        })
        .unwrap()
    }
}

fn plain(m: usize) -> String {
    format!("5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5Ey{m:03}")
}

/// Parses a page as XML, which finds every tag and quote that is not in order.
fn parse(page: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(page, options).unwrap()
}

fn attributes<'a>(document: &'a roxmltree::Document<'_>, name: &str) -> Vec<&'a str> {
    document.descendants().filter_map(|node| node.attribute(name)).collect()
}

#[test]
fn names_from_outside_stay_names() {
    let world = ReportWorld::new(|m| format!("{EVIL}{m}"), 4, 2, EVIL, 3);
    let page = world.page(EVIL);
    let document = parse(&page);
    let allowed = [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "a",
        "header",
        "div",
        "nav",
        "main",
        "section",
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "dl",
        "dt",
        "dd",
        "b",
        "small",
        "span",
        "figure",
        "figcaption",
        "svg",
        "path",
        "rect",
        "details",
        "summary",
        "ol",
        "ul",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "data",
        "article",
        "code",
        "footer",
        "script",
        "button",
        "label",
        "input",
        "output",
        "br",
    ];
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(allowed.contains(&node.tag_name().name()), "{:?}", node.tag_name());
        assert!(node.attributes().all(|a| !a.name().starts_with("on") && a.name() != "src"), "{node:?}");
    }
    assert!(!page.contains('\0') && !page.contains('\u{202e}'));
    assert_eq!(page.matches("<script").count(), 1, "our own");
    assert!(!page.contains("</style><s"));
    // The name itself is there, as text.
    let key = document.descendants().find(|node| node.attribute("class") == Some("key")).unwrap();
    assert!(key.text().unwrap().starts_with("</style><script src=\"http://x/\">alert('1')"), "{key:?}");
}

#[test]
fn every_link_leads_somewhere_and_every_anchor_is_one() {
    for hotkey in [plain as fn(usize) -> String, |m| format!("{EVIL}{m}")] {
        let world = ReportWorld::new(hotkey, 5, 1, "some text", 1);
        let page = world.page("t");
        let document = parse(&page);
        let ids = attributes(&document, "id");
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
        for href in attributes(&document, "href") {
            let target = href.strip_prefix('#').unwrap();
            assert!(ids.contains(&target), "{href}");
        }
        for id in attributes(&document, "aria-labelledby") {
            assert!(ids.contains(&id), "{id}");
        }
    }
}

#[test]
fn says_what_it_was_made_from() {
    let world = ReportWorld::new(plain, 6, 2, "auc is low", 2);
    let page = world.page("Demo, seed 1");
    let document = parse(&page);
    let text_of = |node: roxmltree::Node<'_, '_>| {
        node.descendants().filter_map(|n| n.is_text().then(|| n.text()).flatten()).collect::<String>()
    };
    for challenge in &world.config.challenges {
        assert!(
            document.descendants().any(|n| n.attribute("id") == Some(&format!("c-{}", challenge.ticker)))
        );
    }
    let Outcome::Weights(steps) = &world.outcome else { panic!("weights") };
    for (hotkey, total) in &world.scores.total {
        let row = document
            .descendants()
            .filter(|n| n.has_tag_name(("http://www.w3.org/1999/xhtml", "tr")))
            .find(|row| row.attribute("data-hotkey") == Some(hotkey))
            .unwrap();
        let values: Vec<f64> = row
            .descendants()
            .filter_map(|n| n.attribute("data-value"))
            .filter_map(|v| v.parse().ok())
            .collect();
        let weight = steps.iter().find(|step| step.hotkey == *hotkey).unwrap().weight;
        assert_eq!(values[1..3], [weight, *total], "{hotkey}");
        let own = document.descendants().find(|n| n.attribute("id") == Some(hotkey.as_str())).unwrap();
        let text = text_of(own);
        for said in ["From salience to weight", "auc is low", "Refused", "block 10,000", "MULTIXSEC", hotkey]
        {
            assert!(text.contains(said), "{said}: {text}");
        }
    }
    assert!(page.contains("Demo, seed 1") && page.contains("prefers-color-scheme: dark"));
    assert_eq!(page, world.page("Demo, seed 1"), "the same input gives the same page");
}

#[test]
fn the_script_is_the_one_that_the_policy_names() {
    let page = ReportWorld::new(plain, 2, 0, "x", 0).page("t");
    let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let digest = BASE64.encode(Sha256::digest(script));
    assert!(page.contains(&format!("script-src 'sha256-{digest}'")));
    assert!(script.contains("'use strict'"));
}

#[test]
fn a_page_without_weights_says_why() {
    let mut world = ReportWorld::new(plain, 2, 0, "x", 0);
    world.outcome = Outcome::Rejected(mantis_weights::WeightsRejection::NearUniform);
    assert!(world.page("t").contains("No weights would be set: positive weights are nearly uniform."));
    world.scores = Scores { challenges: Vec::new(), total: BTreeMap::new(), burn: 0.0, peak_rss_kib: 0 };
    let page = world.page("t");
    parse(&page);
    assert!(page.contains("None of 2 miners earns anything"), "{page}");
}

#[test]
fn an_empty_ledger_has_a_page() {
    let mut world = ReportWorld::new(plain, 1, 0, "x", 0);
    let dir = tempfile::tempdir().unwrap();
    world.ledger = Ledger::open(dir.path().join("b.db")).unwrap();
    parse(&world.page("t"));
}

#[test]
fn a_whole_network_fits() {
    let text = "the ensemble gives it no weight: it adds nothing to what others send";
    let world = ReportWorld::new(plain, 256, 12, "excursion_share", 1);
    let size = world.page("t").len();
    assert!(size < 3_500_000, "{size}");
    let world = ReportWorld::new(plain, 256, 3, text, 12);
    let size = world.page("t").len();
    assert!(size < 3_500_000, "{size}");
}
