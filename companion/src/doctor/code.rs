//! What the doctor looks for: a closed list. `docs/doctor.md` has each; a test holds the two together.

use serde::Serialize;

macro_rules! codes {
    ($($variant:ident = $name:literal, $title:literal;)*) => {
        /// What a check is about. The list begins with what is to be mended first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $(
            #[doc = concat!("`doctor::", $name, "`: ", $title, ".")]
            $variant,
        )* }

        impl Code {
            /// The closed list, in its order.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The code, as it is told. It does not change from one version to the next.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => concat!("doctor::", $name),)* }
            }

            /// The question, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    Unreachable = "unreachable", "does the host answer?";
    CloudflareError = "cloudflare_error", "does Cloudflare answer with an error of its own?";
    Challenge = "challenge", "does a challenge for browsers stand in the way?";
    Metadata = "metadata", "is what claims to be Access's signed word its own?";
    PageApplication = "page_application", "does Access cover the page?";
    Issuer = "issuer", "is the team the one in access.issuer?";
    Keys = "keys", "does the team publish its keys?";
    OtherApplication = "other_application", "does one application cover the page and the relay's path?";
    PathUneven = "path_uneven", "is the relay's path covered like what is below it?";
    Audience = "audience", "is the AUD tag one of access.audience?";
    ApiOpen = "api_open", "does Access keep strangers from the API?";
    SameApplication = "same_application", "do the page and the API have an application each?";
    Misconfigured = "misconfigured", "can the relay read its configuration and its secrets?";
    NotRouted = "not_routed", "does the relay answer at its path?";
    Relay = "relay", "does the relay refuse a stranger?";
    ExpiredSession = "expired_session", "can the page read that a session has ended?";
    Preflight = "preflight", "does a preflight of another origin reach the relay?";
    ForeignOrigin = "foreign_origin", "does the relay refuse a page of another origin?";
    ServiceToken = "service_token", "does the service token open the API?";
    Caller = "caller", "does the relay take a person's token?";
    UpstreamAccessDenied = "upstream_access_denied", "do the Worker's own secrets open the API?";
    LinkedAppToken = "linked_app_token", "does a person's token open the API?";
    SameZone = "same_zone", "does a call to an API in the page's zone arrive?";
    SecretsStore = "secrets_store", "does the relay get its secrets out of the Secrets Store?";
    Upstream = "upstream", "does the API answer the relay?";
    Health = "health", "does the relay find itself healthy?";
    Door = "door", "is another door to the Worker shut?";
    Https = "https", "does http lead to https?";
    StrictMode = "strict_mode", "is a wrong service token refused in strict mode?";
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}
