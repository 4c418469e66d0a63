//! Signing in: a session is a random token, kept by browsers in a cookie and by programs as a bearer token.
//!
//! The store has only the token's SHA-256. Cookies are not kept apart by port, so each program names its own.

use arno_domain::{Clock, hex};
use arno_protocol::session::{Role, Session, SignIn};
use arno_store::{Account, Database, NewSession};
use axum::{
    Json,
    extract::{FromRef, FromRequestParts, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, COOKIE, SET_COOKIE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use chrono::Duration;
use rand::TryRng as _;
use sha2::{Digest as _, Sha256};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{ApiError, ApiJson, ApiResult, hash_password, verify_password};

/// A working day and the evening after it.
const SESSION_LIFETIME: Duration = Duration::hours(14);

/// Longest account name and password that are looked at.
const MAX_CREDENTIAL_BYTES: usize = 256;

/// Password checks at a time: each takes 19 MiB and tens of milliseconds, so a flood of them must queue.
const MAX_PASSWORD_CHECKS: usize = 4;

/// What signing in needs; part of each program's state.
#[derive(Clone)]
pub struct Auth {
    database: Database,
    clock: Clock,
    cookie_name: String,
    checks: std::sync::Arc<tokio::sync::Semaphore>,
}

impl Auth {
    /// `instance` tells this program's cookie from those of others on the same host.
    #[must_use]
    pub fn new(database: Database, clock: Clock, instance: &str) -> Self {
        let cookie_name = format!("arno_{}", &hex::encode(&Sha256::digest(instance))[..8]);
        let checks = std::sync::Arc::new(tokio::sync::Semaphore::new(MAX_PASSWORD_CHECKS));
        Self {
            database,
            clock,
            cookie_name,
            checks,
        }
    }

    async fn account_of(&self, headers: &HeaderMap) -> Result<Account, ApiError> {
        let wanted = || ApiError::unauthorized("sign_in", "Sign in first.");
        let token = self.token(headers).ok_or_else(wanted)?;
        let account = self
            .database
            .session_account(&digest(token), self.clock.now())
            .await?;
        account.ok_or_else(|| {
            ApiError::unauthorized("session_over", "The session is over. Sign in again.")
        })
    }

    fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let bearer = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        bearer.or_else(|| {
            let cookies = headers
                .get_all(COOKIE)
                .iter()
                .filter_map(|value| value.to_str().ok());
            let mut pairs = cookies
                .flat_map(|value| value.split("; "))
                .filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(name, _)| *name == self.cookie_name)
                .map(|(_, token)| token)
        })
    }

    async fn verify(&self, sign_in: SignIn) -> Result<Option<Account>, ApiError> {
        let account = self.database.account(&sign_in.account).await?;
        let checks = self.checks.clone().acquire_owned().await;
        let _turn =
            checks.map_err(|_| ApiError::unavailable("stopping", "The program is stopping."))?;
        let check = move || match account {
            Some(account) => {
                verify_password(&sign_in.password, &account.password_hash).then_some(account)
            }
            None => {
                // As slow as a wrong password, so that time does not tell which accounts there are.
                let _ = hash_password(&sign_in.password);
                None
            }
        };
        tokio::task::spawn_blocking(check)
            .await
            .map_err(|_| ApiError::internal("sign_in_failed", "Signing in failed."))
    }

    async fn open_session(&self, account: &Account) -> Result<String, ApiError> {
        let mut token = [0_u8; 32];
        let random = rand::rngs::SysRng.try_fill_bytes(&mut token);
        random
            .map_err(|_| ApiError::internal("no_randomness", "The system gives no randomness."))?;
        let token = hex::encode(&token);
        let now = self.clock.now();
        let token_sha256 = digest(&token);
        let session = NewSession {
            token_sha256: &token_sha256,
            account: &account.name,
            expires_at: now + SESSION_LIFETIME,
        };
        let mut tx = self.database.write().await?;
        tx.put_session(session, now).await?;
        tx.commit().await?;
        Ok(token)
    }

    fn cookie(&self, token: &str, seconds: i64) -> String {
        format!(
            "{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}",
            self.cookie_name
        )
    }
}

fn digest(token: &str) -> String {
    hex::encode(&Sha256::digest(token))
}

/// Whoever is signed in; as an argument of a handler it refuses everybody else.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The account's name.
    pub account: String,
    /// The person's name.
    pub display_name: String,
    /// What the account may do.
    pub role: Role,
}

impl SignedIn {
    /// Lets only these roles pass.
    ///
    /// # Errors
    /// 403 that names the roles.
    pub fn require(&self, roles: &[Role]) -> Result<(), ApiError> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        let names: Vec<_> = roles
            .iter()
            .map(|role| role.as_str().replace('_', " "))
            .collect();
        Err(ApiError::forbidden(
            "role_missing",
            format!("This is for the {} only.", names.join(" or the ")),
        ))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn
where
    Auth: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let account = Auth::from_ref(state).account_of(&parts.headers).await?;
        Ok(Self {
            account: account.name,
            display_name: account.display_name,
            role: account.role,
        })
    }
}

/// `POST`, `GET` and `DELETE /v1/session`.
pub fn session_routes<S>() -> OpenApiRouter<S>
where
    Auth: FromRef<S>,
    S: Clone + Send + Sync + 'static,
{
    OpenApiRouter::new().routes(routes!(create_session, get_session, delete_session))
}

/// Signs in.
#[utoipa::path(post, path = "/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = Session), (status = 401, body = arno_protocol::Problem)))]
async fn create_session(
    State(auth): State<Auth>,
    ApiJson(sign_in): ApiJson<SignIn>,
) -> Result<Response, ApiError> {
    if sign_in.account.len().max(sign_in.password.len()) > MAX_CREDENTIAL_BYTES {
        return Err(ApiError::bad_request(
            "too_long",
            "Account and password have at most 256 bytes.",
        ));
    }
    let account = auth.verify(sign_in).await?;
    let account = account
        .ok_or_else(|| ApiError::unauthorized("wrong_password", "Account or password is wrong."))?;
    let token = auth.open_session(&account).await?;
    let cookie = auth.cookie(&token, SESSION_LIFETIME.num_seconds());
    Ok((
        [(SET_COOKIE, cookie)],
        Json(session_of(account, Some(token))),
    )
        .into_response())
}

/// Who is signed in.
#[utoipa::path(get, path = "/v1/session", tag = "session",
    responses((status = 200, body = Session), (status = 401, body = arno_protocol::Problem)))]
async fn get_session(State(auth): State<Auth>, headers: HeaderMap) -> ApiResult<Session> {
    Ok(Json(session_of(auth.account_of(&headers).await?, None)))
}

/// Signs out.
#[utoipa::path(delete, path = "/v1/session", tag = "session", responses((status = 204)))]
async fn delete_session(
    State(auth): State<Auth>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Some(token) = auth.token(&headers) {
        let mut tx = auth.database.write().await?;
        tx.delete_session(&digest(token)).await?;
        tx.commit().await?;
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, auth.cookie("", 0))]).into_response())
}

fn session_of(account: Account, token: Option<String>) -> Session {
    let Account {
        name,
        display_name,
        role,
        sealed_key,
        ..
    } = account;
    Session {
        account: name,
        display_name,
        role,
        token,
        sealed_key,
    }
}
