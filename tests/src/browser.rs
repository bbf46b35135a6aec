//! A real browser: Chromium, driven through chromedriver by the WebDriver protocol.

use crate::http::{ask, call};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What WebDriver calls an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Time that a page has to become what it should be.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser with one window.
pub struct Browser {
    driver: Child,
    server: SocketAddr,
    session: String,
}

/// An element of the page.
#[derive(Clone, Debug)]
pub struct Element(String);

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(profile: &Path) -> Self {
        let command =
            Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut driver = command.expect("chromedriver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split("started successfully on port ").nth(1)?.trim_end_matches('.').parse::<u16>().ok()
        });
        // What it goes on to say must be read, or it waits.
        std::thread::spawn(move || lines.for_each(drop));
        let server = SocketAddr::from(([127, 0, 0, 1], port.expect("chromedriver's port")));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1400,1000", "--hide-scrollbars",
                format!("--user-data-dir={}", profile.display()),
            ]},
        }}});
        let mut browser = Self { driver, server, session: String::new() };
        let answer = call(server, "/session", Some(&wanted)).expect("a session");
        let id = answer.json()["value"]["sessionId"].as_str().map(String::from);
        browser.session = id.unwrap_or_else(|| panic!("{}", answer.text()));
        browser
    }

    fn call(&self, what: &str, body: Option<&Value>) -> Result<Value, String> {
        let path = format!("/session/{}/{what}", self.session);
        let answer = call(self.server, &path, body).map_err(|error| format!("{what}: {error}"))?;
        match answer.status {
            200 => Ok(answer.json()["value"].take()),
            _ => Err(format!("{what}: {}", answer.text())),
        }
    }

    fn must(&self, what: &str, body: Option<&Value>) -> Value {
        self.call(what, body).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Opens an address.
    ///
    /// # Panics
    /// If that fails.
    pub fn open(&self, url: &str) {
        self.must("url", Some(&json!({"url": url})));
    }

    /// The address that is open.
    ///
    /// # Panics
    /// If the browser does not say.
    #[must_use]
    pub fn url(&self) -> String {
        self.must("url", None).as_str().expect("an address").to_owned()
    }

    /// The first element that a CSS selector finds, waited for.
    ///
    /// # Panics
    /// If there is none in time.
    #[must_use]
    pub fn find(&self, selector: &str) -> Element {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.call("element", Some(&json!({"using": "css selector", "value": selector}))) {
                Ok(found) => return Element(found[ELEMENT].as_str().expect("an element").to_owned()),
                Err(error) => assert!(Instant::now() < until, "{selector}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks on an element.
    ///
    /// # Panics
    /// If it cannot be clicked on.
    pub fn click(&self, element: &Element) {
        self.must(&format!("element/{}/click", element.0), Some(&json!({})));
    }

    /// Types into an element; keys without a letter are those of the WebDriver standard, such as U+E014 for the right arrow.
    ///
    /// # Panics
    /// If it takes no keys.
    pub fn keys(&self, element: &Element, keys: &str) {
        self.must(&format!("element/{}/value", element.0), Some(&json!({"text": keys})));
    }

    /// What a script returns.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn run(&self, script: &str) -> Value {
        self.must("execute/sync", Some(&json!({"script": script, "args": []})))
    }

    /// Waits until a script returns something that is as wanted; gives it.
    ///
    /// # Panics
    /// If it does not in time.
    pub fn wait_for(&self, script: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let value = self.run(script);
            if wanted(&value) {
                return value;
            }
            assert!(Instant::now() < until, "{script}: still {value}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What was written on the console since it was last asked, or went wrong in the page.
    ///
    /// # Panics
    /// If the browser does not say.
    #[must_use]
    pub fn console(&self) -> Vec<String> {
        let entries = self.must("se/log", Some(&json!({"type": "browser"})));
        let entries = entries.as_array().expect("entries").iter();
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Gives the window a width, and the page light or dark colours.
    ///
    /// # Panics
    /// If it cannot.
    pub fn look(&self, width: u32, scheme: &str) {
        let size = json!({"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &media);
    }

    /// The whole page as a PNG file, in base 64.
    ///
    /// # Panics
    /// If it cannot be had.
    #[must_use]
    pub fn picture(&self) -> String {
        let options = json!({"format": "png", "captureBeyondViewport": true});
        self.devtools("Page.captureScreenshot", &options)["data"].as_str().expect("a picture").to_owned()
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.must("goog/cdp/execute", Some(&json!({"cmd": command, "params": parameters})))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let request = format!(
            "DELETE /session/{} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.session, self.server
        );
        let _ = ask(self.server, request.as_bytes());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
