//! Who is calling.

/// Who is calling, as Access vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A person who logged in.
    User {
        /// The person's id at Access: `sub` of a token, `user_uuid` of an identity.
        sub: Option<String>,
        /// `email`.
        email: Option<String>,
        /// The names of the person's groups, joined by commas, where they were asked for.
        groups: Option<String>,
    },
    /// A program with a service token.
    Service {
        /// `common_name`: the token's Client ID. The runtime does not name it.
        common_name: Option<String>,
    },
    /// Somebody whom Access let in, where nobody wants to know who it is.
    Somebody,
}

impl Caller {
    /// What it is told by: the person's id, e-mail address, a program's name, and the person's groups.
    #[must_use]
    pub fn texts(&self) -> [Option<&str>; 4] {
        match self {
            Self::User { sub, email, groups } => [sub.as_deref(), email.as_deref(), None, groups.as_deref()],
            Self::Service { common_name } => [None, None, common_name.as_deref(), None],
            Self::Somebody => [None; 4],
        }
    }

    /// How much memory its texts take, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.texts().into_iter().flatten().map(str::len).sum()
    }
}
