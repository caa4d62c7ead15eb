//! The words of the window in the person's language: `assets/i18n/en.ftl` and `zh-Hant.ftl`, in Fluent's syntax.
//!
//! Keys are called `area-what`. The language belongs to a thread: a thread that makes words for the window takes it
//! over with [`current`] and [`set`].

mod failures;
#[cfg(test)]
mod tests;

pub(crate) use failures::failure;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fourstep_session::Language;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

/// What a message is filled with.
pub(crate) type Value<'a> = FluentValue<'a>;

/// The text of a key without arguments. Made once for each language, so it may be asked for in every frame.
pub(crate) fn tr(key: &'static str) -> &'static str {
    let texts = texts();
    if let Some(text) = texts.made.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return text;
    }
    let mut made = texts.made.write().unwrap_or_else(PoisonError::into_inner);
    made.entry(key).or_insert_with(|| texts.format(key, None).leak())
}

/// The text of a key with arguments: `tr_with("steps-count", &[("n", steps.into())])`.
pub(crate) fn tr_with(key: &'static str, args: &[(&'static str, Value<'_>)]) -> String {
    let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, value.clone())).collect();
    texts().format(key, Some(&args))
}

thread_local! {
    static CURRENT: Cell<Tongue> = const { Cell::new(Tongue::English) };
}

/// Changes the language of this thread.
pub(crate) fn set(language: Language) {
    CURRENT.set(match language {
        Language::System => *SYSTEM,
        Language::English => Tongue::English,
        Language::TraditionalChinese => Tongue::TraditionalChinese,
    });
}

/// The language of this thread, to be set in another.
pub(crate) fn current() -> Language {
    match CURRENT.get() {
        Tongue::English => Language::English,
        Tongue::TraditionalChinese => Language::TraditionalChinese,
    }
}

/// A language that there are texts of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tongue {
    English,
    TraditionalChinese,
}

impl Tongue {
    /// What comes nearest to a locale of the system: `zh-TW`, `zh_Hant_HK`, `de-DE`.
    fn of_locale(locale: &str) -> Self {
        let parts: Vec<String> = locale.split(['-', '_', '.']).map(str::to_lowercase).collect();
        let traditional = ["hant", "tw", "hk", "mo"];
        let is_chinese = parts.first().is_some_and(|language| language == "zh");
        if is_chinese && parts.iter().any(|part| traditional.contains(&part.as_str())) {
            Self::TraditionalChinese
        } else {
            Self::English
        }
    }
}

static SYSTEM: LazyLock<Tongue> =
    LazyLock::new(|| sys_locale::get_locale().map_or(Tongue::English, |locale| Tongue::of_locale(&locale)));

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| Texts::read("en", include_str!("../../../assets/i18n/en.ftl")));
static TRADITIONAL_CHINESE: LazyLock<Texts> =
    LazyLock::new(|| Texts::read("zh-Hant", include_str!("../../../assets/i18n/zh-Hant.ftl")));

fn texts() -> &'static Texts {
    match CURRENT.get() {
        Tongue::English => &ENGLISH,
        Tongue::TraditionalChinese => &TRADITIONAL_CHINESE,
    }
}

/// The texts of one language.
struct Texts {
    bundle: FluentBundle<FluentResource>,
    /// Texts without arguments that were asked for.
    made: RwLock<HashMap<&'static str, &'static str>>,
}

impl Texts {
    fn read(locale: &str, file: &str) -> Self {
        // Which rules of plural there are follows from the locale.
        let mut bundle = FluentBundle::new_concurrent(locale.parse().into_iter().collect());
        // The marks around arguments are for mixed directions of writing; both languages go to the right.
        bundle.set_use_isolating(false);
        if let Err(problem) = bundle.add_function("LOWER", lower) {
            log::error!("the texts in {locale} are damaged: {problem}");
        }
        let resource = FluentResource::try_new(file.to_owned()).unwrap_or_else(|(resource, problems)| {
            log::error!("the texts in {locale} are damaged: {problems:?}");
            resource
        });
        if let Err(problems) = bundle.add_resource(resource) {
            log::error!("the texts in {locale} are damaged: {problems:?}");
        }
        Self { bundle, made: RwLock::default() }
    }

    /// The key itself where it has no text.
    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            log::error!("there is no text for {key}");
            return key.to_owned();
        };
        let mut problems = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut problems).into_owned();
        for problem in problems {
            log::error!("the text of {key} cannot be filled: {problem}");
        }
        text
    }
}

/// Fluent's `LOWER`: English writes names large where they stand alone and small within a sentence.
fn lower<'a>(values: &[FluentValue<'a>], _: &FluentArgs<'_>) -> FluentValue<'a> {
    match values {
        [FluentValue::String(text)] => text.to_lowercase().into(),
        _ => FluentValue::Error,
    }
}
