//! What holds a child: resource limits, Landlock (no files, no TCP), and a seccomp filter (nothing but computing and its
//! pipes). Best effort: what a kernel does not offer is left out, and the child says so. Linux only.

/// Memory of a child: the samples of the largest frame, four times as wide while JPEG 2000 is at work on them.
#[cfg(target_os = "linux")]
const MEMORY_BYTES: u64 = 2 << 30;

/// CPU seconds of one frame, for a child whose parent is no more there to end it.
#[cfg(target_os = "linux")]
const CPU_SECONDS: u64 = 60;

/// Standard input, output and error.
#[cfg(target_os = "linux")]
const OPEN_FILES: u64 = 3;

/// Which fences stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fences {
    /// Limits of memory, files and core dumps.
    pub limits: bool,
    /// The kernel's Landlock, at least for files.
    pub landlock: bool,
    /// The filter of system calls.
    pub seccomp: bool,
}

impl Fences {
    pub(super) const BYTES: usize = 3;

    /// Whether nothing is missing.
    #[must_use]
    pub fn complete(self) -> bool {
        self.limits && self.landlock && self.seccomp
    }

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        [self.limits, self.landlock, self.seccomp].map(u8::from)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let flag = |at: usize| match bytes.get(at) {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        };
        Some(Self {
            limits: flag(0)?,
            landlock: flag(1)?,
            seccomp: flag(2)?,
        })
    }
}

/// Caps this process for good.
#[cfg(target_os = "linux")]
pub(super) fn put_up() -> Fences {
    // Landlock first: it needs a descriptor, and the filter knows none of its calls.
    let landlock = restrict_files().unwrap_or(false);
    Fences {
        limits: limit_resources().is_ok(),
        landlock,
        seccomp: filter_calls().is_some(),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn put_up() -> Fences {
    Fences::default()
}

/// Grants CPU time for one more frame.
#[cfg(target_os = "linux")]
pub(super) fn allow_cpu_time() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use rustix::time::{ClockId, clock_gettime};
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    let limit = Rlimit {
        current: Some(used + CPU_SECONDS),
        maximum: getrlimit(Resource::Cpu).maximum,
    };
    // The parent's clock is the first to end a child; where this cannot be set it is the only one.
    let _ = setrlimit(Resource::Cpu, limit);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn allow_cpu_time() {}

#[cfg(target_os = "linux")]
fn limit_resources() -> rustix::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most = |limit: u64| Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    setrlimit(Resource::As, most(MEMORY_BYTES))?;
    setrlimit(Resource::Nofile, most(OPEN_FILES))?;
    setrlimit(Resource::Core, most(0))?;
    setrlimit(Resource::Fsize, most(0))
}

/// No file may be opened, no TCP port used; says whether the kernel took it.
#[cfg(target_os = "linux")]
fn restrict_files() -> Result<bool, landlock::RulesetError> {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus,
    };
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::from_all(ABI::V5))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// Refuses every system call but those that computing in one thread and two pipes need.
#[cfg(target_os = "linux")]
fn filter_calls() -> Option<()> {
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, TargetArch, apply_filter,
    };
    const CALLS: [libc::c_long; 24] = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_readv,
        libc::SYS_writev,
        libc::SYS_ppoll,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll,
        #[cfg(not(target_arch = "x86_64"))]
        libc::SYS_ppoll,
        libc::SYS_close,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_clock_gettime,
        libc::SYS_getrandom,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_restart_syscall,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    // Its own CPU time only: the call can set the limits of other processes too.
    let own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 0).ok()?;
    let limits = SeccompRule::new(vec![own]).ok()?;
    let mut rules: std::collections::BTreeMap<_, _> =
        CALLS.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_prlimit64, vec![limits]);
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH).ok()?;
    let filter = SeccompFilter::new(rules, refused, SeccompAction::Allow, arch).ok()?;
    let program = BpfProgram::try_from(filter).ok()?;
    apply_filter(&program).ok()
}
