//! What is on the page. Everything that people write goes in as text, never as HTML.

use protocol::{MAX_NAME_LEN, MAX_TEXT_LEN, cut};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Document, Element, Event, HtmlElement, HtmlInputElement, Window};

/// How the connection is.
pub enum State {
    Connecting,
    Connected {
        round_trip_ms: f64,
    },
    /// Until the next try.
    Waiting {
        seconds: u64,
    },
    /// There is no next try.
    Ended,
}

pub struct Ui {
    document: Document,
}

fn window() -> Window {
    web_sys::window().expect("a page has a window")
}

/// The server that this page came from.
pub fn server_url() -> String {
    let location = window().location();
    let is_secure = location
        .protocol()
        .is_ok_and(|protocol| protocol == "https:");
    let scheme = if is_secure { "wss" } else { "ws" };
    format!("{scheme}://{}/", location.host().unwrap_or_default())
}

/// The clock of the browser, in milliseconds.
pub fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

impl Ui {
    pub fn new() -> Self {
        let document = window().document().expect("a window has a document");
        let ui = Self { document };
        if let Some(name) = Self::stored_name() {
            ui.input("name").set_value(&name);
        }
        // Not before: the name could not be sent.
        ui.show("welcome", true);
        focus(&ui.input("name"));
        ui
    }

    /// Calls `join` with the name of the visitor and opens the room.
    pub fn on_join(&self, mut join: impl FnMut(String) + 'static) {
        let ui = self.copy();
        self.on("join", "submit", move |event| {
            event.prevent_default();
            let name = cut(&ui.input("name").value(), MAX_NAME_LEN);
            if name.is_empty() {
                return;
            }
            Self::store_name(&name);
            ui.show("welcome", false);
            ui.show("room", true);
            focus(&ui.input("text"));
            join(name);
        });
    }

    pub fn on_say(&self, mut say: impl FnMut(String) + 'static) {
        let ui = self.copy();
        self.on("say", "submit", move |event| {
            event.prevent_default();
            let input = ui.input("text");
            let text = cut(&input.value(), MAX_TEXT_LEN);
            // Text that is written while there is no connection stays in the field.
            if !text.is_empty() && ui.is_connected() {
                input.set_value("");
                say(text);
            }
            focus(&input);
        });
    }

    pub fn on_retry(&self, mut retry: impl FnMut() + 'static) {
        self.on("retry", "click", move |_| retry());
    }

    pub fn show_state(&self, state: &State) {
        let (name, text) = match state {
            State::Connecting => ("connecting", "Connecting…".to_owned()),
            State::Connected { round_trip_ms } => {
                ("connected", format!("Connected, {round_trip_ms:.1} ms"))
            }
            State::Waiting { .. } | State::Ended => ("waiting", "Not connected".to_owned()),
        };
        let root = self.document.document_element().expect("there is a root");
        set(&root, "data-state", name);
        self.set_text("state", &text);
        if let State::Waiting { seconds } = state {
            self.set_text("next-try", &format!("Next try in {seconds} s."));
        }
        // While it tries, the notice stays: it would flicker.
        match state {
            State::Connected { .. } | State::Ended => self.show("away", false),
            State::Waiting { .. } => self.show("away", true),
            State::Connecting => {}
        }
    }

    pub fn show_people(&self, names: &[String]) {
        let list = self.element("people");
        list.set_text_content(None);
        for name in names {
            let item = self.create("li", "");
            append(&item, &self.avatar(name));
            append(&item, &self.create_text("span", "name", name));
            append(&list, &item);
        }
        self.set_text("count", &names.len().to_string());
    }

    pub fn show_message(&self, name: &str, text: &str, is_mine: bool) {
        let item = self.create("li", if is_mine { "message mine" } else { "message" });
        append(&item, &self.avatar(name));
        let bubble = self.create("div", "bubble");
        append(&bubble, &self.create_text("span", "name", name));
        append(&bubble, &self.create_text("p", "", text));
        append(&item, &bubble);
        self.add_to_log(&item);
    }

    /// A notice of the page itself.
    pub fn show_note(&self, text: &str) {
        self.add_to_log(&self.create_text("li", "note", text));
    }

    fn add_to_log(&self, item: &Element) {
        let log = self.element("log");
        append(&log, item);
        if log.child_element_count() > 500 {
            log.first_element_child().inspect(Element::remove);
        }
        log.set_scroll_top(log.scroll_height());
    }

    /// The first letter of a name, in a colour of its own.
    fn avatar(&self, name: &str) -> Element {
        let letter = name
            .chars()
            .next()
            .map_or(String::new(), |c| c.to_uppercase().collect());
        let avatar = self.create_text("span", "avatar", &letter);
        let hue = name
            .bytes()
            .fold(7_u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
        set(&avatar, "style", &format!("--hue: {hue}"));
        set(&avatar, "aria-hidden", "true");
        avatar
    }

    fn is_connected(&self) -> bool {
        let root = self.document.document_element();
        root.and_then(|root| root.get_attribute("data-state")) == Some("connected".to_owned())
    }

    fn copy(&self) -> Self {
        let document = self.document.clone();
        Self { document }
    }

    fn on(&self, id: &str, event: &str, handler: impl FnMut(Event) + 'static) {
        // It lives as long as the page.
        let handler: JsValue = Closure::<dyn FnMut(Event)>::new(handler).into_js_value();
        let element = self.element(id);
        let added = element.add_event_listener_with_callback(event, handler.unchecked_ref());
        added.expect("an element can be listened to");
    }

    fn element(&self, id: &str) -> Element {
        let element = self.document.get_element_by_id(id);
        element.unwrap_or_else(|| panic!("index.html has no {id}"))
    }

    fn input(&self, id: &str) -> HtmlInputElement {
        self.element(id).unchecked_into()
    }

    fn create(&self, tag: &str, class: &str) -> Element {
        let element = self.document.create_element(tag).expect("a tag of HTML");
        element.set_class_name(class);
        element
    }

    fn create_text(&self, tag: &str, class: &str, text: &str) -> Element {
        let element = self.create(tag, class);
        element.set_text_content(Some(text));
        element
    }

    fn set_text(&self, id: &str, text: &str) {
        self.element(id).set_text_content(Some(text));
    }

    fn show(&self, id: &str, is_shown: bool) {
        self.element(id)
            .unchecked_into::<HtmlElement>()
            .set_hidden(!is_shown);
    }

    /// The name from before a reload, in this tab.
    fn stored_name() -> Option<String> {
        window().session_storage().ok()??.get_item("name").ok()?
    }

    fn store_name(name: &str) {
        if let Ok(Some(storage)) = window().session_storage() {
            // A browser may not want to; then the name is asked again.
            let _ = storage.set_item("name", name);
        }
    }
}

fn append(parent: &Element, child: &Element) {
    parent
        .append_child(child)
        .expect("an element takes children");
}

fn set(element: &Element, attribute: &str, value: &str) {
    element
        .set_attribute(attribute, value)
        .expect("a valid attribute");
}

fn focus(input: &HtmlInputElement) {
    // Only a comfort.
    let _ = input.focus();
}
