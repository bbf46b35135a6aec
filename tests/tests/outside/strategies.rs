//! `mantis sdk`: a strategy is measured on a ledger, in any language, and its answers are what `mantis salience` takes.

use mantis_config::{Block, Sidx};
use mantis_ledger::{Ledger, NewRow, SampledBlock};
use mantis_tests::need::{Need, numpy};
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, failure, json, mantis, note, root, stdout, trial};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    let both = |trial: Trial| trial.needs(Need::Bwrap).needs(Need::Numpy);
    vec![
        both(trial!(skill_that_was_put_in_is_found_and_its_answers_can_be_scored).takes(10)),
        trial!(a_program_in_another_language_gives_the_same_numbers)
            .needs(Need::Bwrap)
            .needs(Need::Numpy)
            .takes(10),
        trial!(labels_are_the_same_of_a_component).needs(Need::Bwrap).needs(Need::Wasm).takes(8),
        both(trial!(a_strategy_learns_from_labels_that_are_known).takes(8)),
        both(trial!(the_example_of_the_networks_guide_runs_with_its_import_changed).takes(12)),
        both(trial!(a_strategy_is_checked_without_a_ledger).takes(6)),
        both(trial!(challenges_of_classes_and_of_ranks_are_measured_too).takes(30)),
        both(trial!(the_page_for_miners_goes_from_nothing_to_a_number).takes(20)),
        trial!(what_cannot_be_measured_is_refused_in_a_sentence).takes(3),
    ]
}

/// Rows of the ledgers that are made here.
pub(crate) const ROWS: i64 = 20_000;

/// A folder with a configuration in which ETH looks one row ahead, and two ledgers: prices that are a random walk, and
/// prices whose returns go on.
pub(crate) struct World {
    pub(crate) config: PathBuf,
    pub(crate) walk: PathBuf,
    ar1: PathBuf,
}

/// How much of a return goes on to the next in `ar1`.
const GOES_ON: f64 = 0.3;

pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("strategies");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let text = fs::read_to_string(root().join("challenges.toml")).unwrap();
        let (before, after) = text.split_once("ticker = \"ETH\"\n").unwrap();
        let config = folder.join("challenges.toml");
        let after = after.replacen("blocks_ahead = 300", "blocks_ahead = 5", 1);
        fs::write(&config, format!("{before}ticker = \"ETH\"\n{after}")).unwrap();
        let (walk, ar1) = (folder.join("walk-ledger.db"), folder.join("ar1-ledger.db"));
        write(&walk, &prices(11, 0.0));
        write(&ar1, &prices(12, GOES_ON));
        World { config, walk, ar1 }
    })
}

/// Prices whose returns are normal, and go on by so much.
pub(crate) fn prices(seed: u64, goes_on: f64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (mut price, mut last) = (2000.0, 0.0);
    let row = |_| {
        // Of twelve uniform numbers the sum is as good as normal, with a variance of 1.
        let noise = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        last = goes_on * last + 1e-3 * noise;
        price *= 1.0 + last;
        price
    };
    (0..ROWS).map(row).collect()
}

fn write(path: &Path, prices: &[f64]) {
    let step = |(row, price): (i64, &f64)| SampledBlock {
        block: Block(5 * (1_000_000 + row)),
        sidx: Sidx(1_000_000 + row),
        rows: vec![NewRow {
            ticker: "ETH".into(),
            dim: 2,
            blocks_ahead: 5,
            price: Some(*price),
            ..NewRow::default()
        }],
    };
    let steps: Vec<SampledBlock> = (0..).zip(prices).map(step).collect();
    Ledger::open(path).unwrap().append_many(&steps, 2000).unwrap();
}

/// `mantis sdk evaluate` of a strategy, on all of a ledger.
pub(crate) fn evaluate(strategy: &Path, ledger: &Path) -> Command {
    let mut command = mantis();
    command.args(["sdk", "evaluate"]).arg(strategy).args(["--challenge", "ETH", "--days", "1000", "--json"]);
    command.arg("--ledger").arg(ledger).arg("--config").arg(&world().config).arg("--python").arg(numpy());
    command
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/strategies").join(name)
}

pub(crate) fn auc(found: &Value) -> f64 {
    found["headline"]["auc"].as_f64().unwrap_or_else(|| panic!("{found:#}"))
}

fn skill_that_was_put_in_is_found_and_its_answers_can_be_scored() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("answers.parquet");
    let found = json(evaluate(&fixture("ar1.py"), &world().ar1).arg("--embeddings").arg(&file));
    // Of a normal return and the sign of the next: the probability that the larger of two goes with a rise.
    let bayes = 0.5 + std::f64::consts::FRAC_2_PI * (GOES_ON / std::f64::consts::SQRT_2).asin();
    let interval: Vec<f64> =
        found["headline"]["auc_ci95"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    note!("AUC {}, {interval:?}, of the best {bayes}", auc(&found));
    assert!(interval[0] <= bayes && bayes <= interval[1], "{bayes}: {found:#}");
    assert!(interval[1] - interval[0] < 0.03 && interval[0] > 0.6, "{found:#}");
    assert_eq!(found["headline"]["rows"], ROWS - 3);
    assert_eq!(found["answers"]["stored"], ROWS - 2);
    let causality = &found["causality"];
    assert_eq!((&causality["enforced"], &causality["sandbox"]), (&"process".into(), &"bubblewrap".into()));
    assert_eq!((&causality["replayed_rows"], &causality["differing"]), (&64.into(), &0.into()));
    assert!(causality["checked_labels"].as_u64().unwrap() > 9000, "{causality:#}");
    assert_eq!(causality["differing_labels"], 0);
    // Told a row later, it knows nothing: its skill is in the newest return.
    assert_eq!(causality["lag_test"]["verdict"], "rests_on_newest_row");
    let last = found["windows"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["to_block"], 5 * (1_000_000 + ROWS - 1));

    let mut salience = mantis();
    salience.args(["salience", "--challenge", "ETH", "--computations", "0", "--json"]).arg(&file);
    salience.arg("--ledger").arg(&world().ar1).arg("--config").arg(&world().config);
    let scored = json(&mut salience);
    assert_eq!(scored[0]["taken"]["stored"], ROWS - 2, "{scored:#}");
    assert_eq!(scored[0]["taken"]["changed"], 0, "{scored:#}");
    assert_eq!(scored[0]["places"][0]["rank"], 1, "{scored:#}");

    let said = failure(evaluate(&fixture("ar1.py"), &world().ar1).arg("--embeddings").arg(&file));
    assert!(said.contains("is there already; add --force"), "{said}");
}

fn a_program_in_another_language_gives_the_same_numbers() {
    let one = json(evaluate(&fixture("ar1.pl"), &world().ar1).arg("--quick"));
    let other = json(evaluate(&fixture("ar1.py"), &world().ar1).arg("--quick"));
    assert_eq!(one["log"], serde_json::json!(["greeted by ETH"]));
    assert_eq!(one["answers"], other["answers"]);
    // Logarithms of two libraries may differ in their last bits, which half floats do not have.
    assert!((auc(&one) - auc(&other)).abs() < 1e-4, "{} {}", auc(&one), auc(&other));
}

fn labels_are_the_same_of_a_component() {
    let run = |runtime: &str| {
        let mut found =
            json(evaluate(&fixture("ar1.pl"), &world().ar1).args(["--quick", "--runtime", runtime]));
        found["seconds"] = Value::Null;
        found
    };
    assert_eq!(run("native"), run("wasm"));
}

fn a_strategy_learns_from_labels_that_are_known() {
    let found = json(evaluate(&fixture("learns.py"), &world().ar1).arg("--quick"));
    let silent = found["answers"]["silent"].as_u64().unwrap();
    assert!((200..400).contains(&silent), "500 rows, two to an answer: {found:#}");
    // Each answer stands for two rows, of which the second it does not see.
    assert!(auc(&found) > 0.54, "{found:#}");
    let late = json(evaluate(&fixture("learns.py"), &world().ar1).args(["--quick", "--embargo", "4000"]));
    assert!(late["answers"]["silent"].as_u64().unwrap() > 1900, "{late:#}");
}

/// What the network's guide for miners shows, with the first line changed.
const GUIDE: &str = r#"
from mantis_sdk import Featurizer, Predictor, evaluate
import numpy as np

class MyFeaturizer(Featurizer):
    warmup = 200
    compute_interval = 1

    def compute(self, view):
        prices = view.prices("ETH")
        returns = np.diff(np.log(prices[-100:]))
        return {"momentum": np.array([returns.mean()]), "volatility": np.array([returns.std()])}

class MyPredictor(Predictor):
    def predict(self, features):
        p_up = 0.5 + 0.5 * np.tanh(features["momentum"][0] * 500)
        return np.array([p_up, 1.0 - p_up])

result = evaluate("ETH-1H-BINARY", MyFeaturizer(), MyPredictor(), days_back=60)
"#;

fn the_example_of_the_networks_guide_runs_with_its_import_changed() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("guide.py");
    let after = "
import json
from mantis_sdk import salience
own = salience('ETH', result.embeddings, options=['--computations', '0'])
windows = result.windows
result.report('out.html')
print(json.dumps({
    'headline': result.headline, 'causality': result.causality, 'rank': own.rank, 'of': own.of,
    'windows': len(windows), 'n': int(windows['n'].sum()), 'names': windows.dtype.names,
}))
";
    fs::write(&file, format!("{GUIDE}{after}")).unwrap();
    let mut python = Command::new(numpy());
    python.arg(&file).current_dir(dir.path()).env("PYTHONPATH", root().join("python"));
    python.env("MANTIS_PROGRAM", bin_dir().join("mantis")).env("XDG_CACHE_HOME", bin_dir().join("cache"));
    python.env("MANTIS_LEDGER", &world().walk);
    fs::copy(&world().config, dir.path().join("challenges.toml")).unwrap();
    let found: Value = serde_json::from_str(&stdout(&mut python)).unwrap();
    let headline = &found["headline"];
    assert_eq!(headline["rows"], ROWS - 201, "{found:#}");
    assert!((headline["auc"].as_f64().unwrap() - 0.5).abs() < 0.02, "{found:#}");
    assert!(headline["brier"].as_f64().unwrap() > 0.2 && headline["auc_ci95"].is_array(), "{found:#}");
    assert_eq!(found["n"], ROWS - 201);
    assert_eq!(found["causality"]["enforced"], "process");
    assert_eq!(found["of"], 1);
    let page = fs::read_to_string(dir.path().join("out.html")).unwrap();
    assert!(page.contains("ETH-1H-BINARY: guide.py") && page.contains("It could not look ahead"), "{page}");

    // What is measured is what the file makes.
    let other = GUIDE.replace(
        "result = evaluate",
        "\nif __name__ == '__main__':\n    f = MyFeaturizer()\n    f.extra = 1\n    evaluate",
    );
    fs::write(&file, other.replace("MyFeaturizer(), MyPredictor(), ", "f, MyPredictor(), ")).unwrap();
    let said = failure_of(&mut python);
    assert!(said.contains("was measured as its file makes it"), "{said}");
}

/// What a program says that ends with an error.
fn failure_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn a_strategy_is_checked_without_a_ledger() {
    let check = |file: &Path, challenge: &str| {
        let mut command = mantis();
        command
            .args(["sdk", "check"])
            .arg(file)
            .args(["--challenge", challenge])
            .arg("--python")
            .arg(numpy());
        command
    };
    let found = json(check(&fixture("ar1.py"), "ETH").arg("--json"));
    let passed = |found: &Value| {
        let all = found["checks"].as_array().unwrap().iter();
        all.map(|check| (check["name"].as_str().unwrap().to_owned(), check["passed"] == true))
            .collect::<Vec<_>>()
    };
    assert!(passed(&found).iter().all(|(_, passed)| *passed) && passed(&found).len() == 4, "{found:#}");
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("model.py");
    let model = |body: &str| {
        let text = format!(
            "import random, time\nfrom mantis_sdk import Featurizer, Predictor\nclass F(Featurizer):\n    def compute(self, view):\n        \
             return {{}}\nclass P(Predictor):\n    def predict(self, features):\n        {body}\n"
        );
        fs::write(&file, text).unwrap();
    };
    model("return [(time.perf_counter_ns() % 1000) / 1000, 0]");
    let said = failure(&mut check(&file, "ETH"));
    assert!(said.contains("not passed: the same each time"), "{said}");
    model("return [1.5, 0]");
    let output = check(&file, "ETH").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("300 of 300 answers are refused") && text.contains("1.5 is outside [-1, 1]"),
        "{text}"
    );
    model("return [0.5]");
    let said = failure(&mut check(&file, "ETH"));
    assert!(said.contains("predict gave 1 numbers for row 0; ETH-1H-BINARY takes 2"), "{said}");
    model("return 1 / 0");
    let said = failure(&mut check(&file, "ETH"));
    assert!(said.contains("model.py\", line 8") && said.contains("ZeroDivisionError"), "{said}");
    // Seeded, chance is the same each time; a dict by asset is taken for several.
    model("return {'BTC': random.random(), 'ETH': -0.5}");
    let found = json(check(&file, "MULTIXSEC").arg("--json"));
    assert!(passed(&found).iter().all(|(_, passed)| *passed), "{found:#}");
    // A folder is a strategy, too, with the files in it.
    fs::write(dir.path().join("weights.txt"), "0.25").unwrap();
    model("return [float(open('/strategy/weights.txt').read()), 0]");
    stdout(&mut check(dir.path(), "ETH"));
    fs::write(&file, "x = 1\n").unwrap();
    let said = failure(&mut check(&file, "ETH"));
    assert!(said.contains("one class of Featurizer, and has none"), "{said}");
}

fn challenges_of_classes_and_of_ranks_are_measured_too() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("all.db");
    let mut simulate = mantis();
    simulate.args([
        "simulate",
        "--rows",
        "9000",
        "--miners",
        "3",
        "--only",
        "ETH,ETHHITFIRST,ETHLBFGS,MULTIBREAKOUT,MULTIXSEC,FUNDINGXSEC,TRADEMIX",
    ]);
    stdout(simulate.arg("--out").arg(&ledger));
    let file = dir.path().join("model.py");
    let model = "
import numpy as np
from mantis_sdk import Featurizer, Predictor
class F(Featurizer):
    warmup = 60
    compute_interval = 10
    def compute(self, view):
        p = view.prices_matrix(last=60)
        return {'r': np.nan_to_num(p[:, -1] / p[:, 0] - 1)}
class P(Predictor):
    def predict(self, features):
        r = features['r']
        DIM
";
    let kinds = [
        ("ETHHITFIRST", "p = 1 / (1 + np.exp(-50 * r[0])); return [0.8 * p, 0.8 - 0.8 * p, 0.2]", "classes"),
        ("ETHLBFGS", "return [0.1, 0.2, 0.4, 0.2, 0.1] + [0.5] * 12", "classes"),
        (
            "MULTIBREAKOUT",
            "return [[0.5 + 0.4 * np.tanh(9 * x), 0.5 - 0.4 * np.tanh(9 * x)] for x in r]",
            "event",
        ),
        ("MULTIXSEC", "return np.tanh(20 * r)", "ranks"),
        ("FUNDINGXSEC", "return np.tanh(r)", "ranks"),
        ("TRADEMIX", "return np.tanh(20 * r)", ""),
    ];
    for (ticker, body, kind) in kinds {
        fs::write(&file, model.replace("DIM", body)).unwrap();
        let answers = dir.path().join(format!("{ticker}.csv"));
        let mut command = mantis();
        command
            .args(["sdk", "evaluate", "--challenge", ticker, "--json", "--quick"])
            .arg(&file)
            .arg("--ledger")
            .arg(&ledger);
        let found = json(command.arg("--python").arg(numpy()).arg("--embeddings").arg(&answers));
        let headline = &found["headline"];
        note!("{ticker}: {headline}");
        assert_eq!(found["answers"]["refused"], 0, "{found:#}");
        assert!(found["answers"]["stored"].as_u64().unwrap() > 50, "{found:#}");
        assert_eq!(found["causality"]["differing_labels"], 0, "{found:#}");
        assert_eq!(found["labels"]["kind"].as_str().unwrap_or_default(), kind, "{found:#}");
        match kind {
            "classes" => {
                assert_eq!(headline["metric"], "balanced_accuracy");
                assert!(headline["log_loss"].as_f64().unwrap() > 0.0, "{found:#}");
                assert!(headline["balanced_accuracy"].as_f64().unwrap() > 0.05, "{found:#}");
            }
            "ranks" => {
                let rows = headline["rows"].as_u64().unwrap();
                assert!(headline["n"].as_u64().unwrap() > 10 * rows && rows > 500, "{found:#}");
                assert!(headline["spearman"].as_f64().unwrap().abs() < 0.5, "{found:#}");
            }
            "event" => assert!(headline["n"].as_u64().unwrap() > 0, "{found:#}"),
            _ => assert!(headline.is_null() && found["windows"] == serde_json::json!([]), "{found:#}"),
        }
        let mut salience = mantis();
        salience
            .args(["salience", "--computations", "0", "--json"])
            .arg(&answers)
            .arg("--ledger")
            .arg(&ledger);
        let scored = json(&mut salience);
        assert_eq!(scored[0]["ticker"], ticker);
        let (stored, rows) = (&scored[0]["taken"]["stored"], &scored[0]["taken"]["rows"]);
        assert_eq!(stored, rows, "{scored:#}");
    }
}

/// docs/miners.md, step by step.
fn the_page_for_miners_goes_from_nothing_to_a_number() {
    let dir = TempDir::new().unwrap();
    let page = fs::read_to_string(root().join("docs/miners.md")).unwrap();
    let steps = [
        "mantis simulate --out sim.db --rows 30240 --miners 24 --only ETH",
        "mantis sdk check examples/strategies/momentum.py --challenge ETH",
        "mantis sdk evaluate examples/strategies/momentum.py --challenge ETH --ledger sim.db --embeddings eth.parquet",
        "mantis salience eth.parquet --ledger sim.db",
    ];
    let mut last = String::new();
    for step in steps {
        assert!(page.contains(step), "{step}");
        let mut command = mantis();
        for word in step.split(' ').skip(1) {
            match word {
                "sim.db" | "eth.parquet" => command.arg(dir.path().join(word)),
                word => command.arg(word),
            };
        }
        if step.contains(" sdk ") {
            command.arg("--python").arg(numpy());
        }
        last = stdout(&mut command);
        if step.contains("evaluate") {
            for said in [
                "all rows",
                "AUC",
                "last 20 days",
                "it could not look ahead",
                "64 rows, 0 differ",
                "told a row later",
            ] {
                assert!(last.contains(said), "{said}: {last}");
            }
        }
    }
    assert!(last.contains("ETH-1H-BINARY (ETH), (yours)"), "{last}");
}

fn what_cannot_be_measured_is_refused_in_a_sentence() {
    let dir = TempDir::new().unwrap();
    let model = dir.path().join("model.txt");
    fs::write(&model, "x").unwrap();
    let unsafely = |file: &Path| {
        let mut command = evaluate(file, &world().walk);
        command.arg("--unsafe");
        command
    };
    let said = failure(&mut unsafely(&model));
    assert!(said.contains("neither a .py file nor a program") && said.contains("chmod +x"), "{said}");
    let said = failure(&mut unsafely(&dir.path().join("none.py")));
    assert!(said.contains("none.py: No such file"), "{said}");
    let mut command = mantis();
    command.args(["sdk", "check", "--challenge", "ETH", "--unsafe", "--python", "/no/python"]);
    let said = failure(command.arg(fixture("ar1.py")));
    assert!(said.contains("no Python that can be asked") && said.contains("--python"), "{said}");
    let said = failure(mantis().args(["sdk", "check", "x.py", "--challenge", "XYZ"]));
    assert!(said.contains("--challenge XYZ: no such challenge in challenges.toml; it has ETH, "), "{said}");
    let said =
        failure(evaluate(&fixture("ar1.pl"), &world().walk).args(["--unsafe", "--embeddings", "x.txt"]));
    assert!(said.contains("has to end in .csv or .parquet"), "{said}");
    // Without a sandbox nothing is run unless it is asked for.
    let said = failure(evaluate(&fixture("ar1.pl"), &world().walk).env("PATH", dir.path()));
    assert!(said.contains("apt-get install bubblewrap") && said.contains("--unsafe"), "{said}");
    // It wants more rows than there are.
    let eager = dir.path().join("eager.pl");
    let text = fs::read_to_string(fixture("ar1.pl")).unwrap().replace("\"warmup\": 2", "\"warmup\": 20000");
    fs::write(&eager, text).unwrap();
    let mut chmod = Command::new("chmod");
    assert!(chmod.arg("+x").arg(&eager).status().unwrap().success());
    let said = failure(&mut unsafely(&eager));
    assert!(said.contains("20000 before its first answer; lower its warmup"), "{said}");
}
