//! Signing in, and what a page or a program first asks: who am I talking to?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an account may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Searches, asks for access, runs analyses (hub).
    DataUser,
    /// Decides on access requests (hub).
    Committee,
    /// Invites sites, sees the audit log (hub).
    Operator,
    /// Runs a node for its data holder (node).
    DataManager,
}

impl Role {
    /// The word in text, JSON and SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataUser => "data_user",
            Self::Committee => "committee",
            Self::Operator => "operator",
            Self::DataManager => "data_manager",
        }
    }

    /// The role of that word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::DataUser,
            Self::Committee,
            Self::Operator,
            Self::DataManager,
        ]
        .into_iter()
        .find(|role| role.as_str() == name)
    }
}

/// `POST /v1/session`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The account's name.
    pub account: String,
    /// Its password.
    pub password: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SignIn")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Who is signed in. The cookie holds the token for browsers; programs send it as `Authorization: Bearer`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The account's name.
    pub account: String,
    /// The person's name.
    pub display_name: String,
    /// What the account may do.
    pub role: Role,
    /// The secret of this session; only in the answer to signing in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// For a committee member: the signing key, sealed under a passphrase that no server knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_key: Option<SealedKey>,
}

/// A signing key sealed under a passphrase: PBKDF2-HMAC-SHA-256, then AES-256-GCM over the PKCS #8 form.
/// Browsers open it with WebCrypto, programs with `arno decide`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedKey {
    /// The public half, hexadecimal.
    pub public_key: arno_domain::PublicKey,
    /// PBKDF2 iterations.
    pub iterations: u32,
    /// PBKDF2 salt, 16 bytes, base64url.
    #[schema(value_type = String)]
    pub salt: crate::Base64,
    /// AES-GCM nonce, 12 bytes, base64url.
    #[schema(value_type = String)]
    pub nonce: crate::Base64,
    /// The sealed PKCS #8 key with its tag, base64url.
    #[schema(value_type = String)]
    pub ciphertext: crate::Base64,
}

/// Which program answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// The central services.
    Hub,
    /// A hospital's node.
    Node,
}

/// `GET /v1/about`, for everybody.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// Hub or node.
    pub program: Program,
    /// The federation's or the site's name.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// Whether this is the demo, whose people and images are invented.
    pub demo: bool,
    /// Whether this is a node that keeps objects as they come, identifiable: its pages say so on every page.
    #[serde(default)]
    pub identifiable: bool,
}
