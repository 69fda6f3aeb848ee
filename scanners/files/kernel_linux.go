package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// kernelMade reports whether a directory lies on a file system whose files are
// made up when they are read: they may block, have no end or act when read.
func kernelMade(d *os.File) bool {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(d.Fd()), &st); err != nil {
		return false
	}
	switch int64(st.Type) {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC,
		unix.SECURITYFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC,
		unix.BPF_FS_MAGIC, unix.PSTOREFS_MAGIC, unix.SELINUX_MAGIC, unix.EFIVARFS_MAGIC,
		unix.BINFMTFS_MAGIC, unix.NSFS_MAGIC, configFS, fuseControl:
		return true
	}
	return false
}

// Magic numbers of statfs(2) that the unix package does not name.
const (
	configFS    = 0x62656570
	fuseControl = 0x65735543
)
