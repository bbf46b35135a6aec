//! seccomp: which calls of the system fail from now on.
//!
//! A list of what is forbidden, not of what is allowed: a shared library may use whatever computes. What is forbidden
//! fails as if this user had no right to it.

use libc::{
    CLONE_THREAD, EPERM, SYS_accept, SYS_accept4, SYS_add_key, SYS_bind, SYS_bpf, SYS_chroot, SYS_clone,
    SYS_clone3, SYS_connect, SYS_delete_module, SYS_execve, SYS_execveat, SYS_finit_module, SYS_fsconfig,
    SYS_fsmount, SYS_fsopen, SYS_init_module, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_uring_setup,
    SYS_kcmp, SYS_kexec_load, SYS_keyctl, SYS_kill, SYS_listen, SYS_migrate_pages, SYS_mount, SYS_move_mount,
    SYS_move_pages, SYS_open_by_handle_at, SYS_open_tree, SYS_perf_event_open, SYS_pidfd_getfd,
    SYS_pidfd_open, SYS_pidfd_send_signal, SYS_pivot_root, SYS_prlimit64, SYS_process_madvise,
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_ptrace, SYS_quotactl, SYS_reboot, SYS_request_key,
    SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_setns, SYS_setpgid, SYS_setsid, SYS_socket,
    SYS_socketpair, SYS_swapoff, SYS_swapon, SYS_syslog, SYS_tgkill, SYS_tkill, SYS_umount2, SYS_unshare,
    SYS_userfaultfd,
};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Other programs; other processes; the network, by whatever way; rights and the system itself.
const FORBIDDEN: &[i64] = &[
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_kcmp,
    SYS_move_pages,
    SYS_migrate_pages,
    SYS_setsid,
    SYS_setpgid,
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_unshare,
    SYS_setns,
    SYS_chroot,
    SYS_pivot_root,
    SYS_mount,
    SYS_umount2,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_open_by_handle_at,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_syslog,
    SYS_quotactl,
];

/// Those that other processors never had.
#[cfg(target_arch = "x86_64")]
const OLD: &[i64] = &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_kexec_file_load];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[i64] = &[];

/// The other numbers under which an x86-64 kernel may know the same calls, and those that only they have.
#[cfg(target_arch = "x86_64")]
const OTHER_NUMBERS: i64 = 0x4000_0000;

/// Whether the calls fail from now on.
pub(super) fn restrict() -> bool {
    programs().is_ok_and(|programs| programs.iter().all(|program| apply_filter(program).is_ok()))
}

fn programs() -> Result<[BpfProgram; 2], BackendError> {
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    let program = |rules: Rules, errno: i32| -> Result<BpfProgram, BackendError> {
        let denied = SeccompAction::Errno(errno.unsigned_abs());
        SeccompFilter::new(rules, SeccompAction::Allow, denied, arch)?.try_into()
    };
    // What a thread is made with is behind a pointer there. As a kernel that lacks the call answers, the older one is
    // used, which a filter can look into.
    let unknown = Rules::from([(SYS_clone3, Vec::new())]);
    Ok([program(unknown, libc::ENOSYS)?, program(rules()?, EPERM)?])
}

fn rules() -> Result<Rules, BackendError> {
    let mut rules: Rules = FORBIDDEN.iter().chain(OLD).map(|call| (*call, Vec::new())).collect();
    let own = u64::from(std::process::id());
    let other_than = |own: u64| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own);
    // To itself alone: an abort is a signal, too.
    for call in [SYS_kill, SYS_tgkill] {
        rules.insert(call, vec![SeccompRule::new(vec![other_than(own)?])?]);
    }
    rules.insert(SYS_prlimit64, vec![SeccompRule::new(vec![other_than(own)?, other_than(0)?])?]);
    // A thread, but no process.
    let thread = CLONE_THREAD.unsigned_abs().into();
    let process = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(thread), 0)?;
    rules.insert(SYS_clone, vec![SeccompRule::new(vec![process])?]);
    #[cfg(target_arch = "x86_64")]
    {
        let called: Vec<i64> = rules.keys().copied().chain(512..=547).collect();
        rules.extend(called.into_iter().map(|call| (OTHER_NUMBERS | call, Vec::new())));
    }
    Ok(rules)
}
