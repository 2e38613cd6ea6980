//go:build linux && !purego

package snapshot

import "syscall"

// forget lets the pages that the check has read leave this process's memory: they
// come back from the system's cache, or the disk, when they are used.
func (m *memory) forget() {
	if m.mapped {
		_ = syscall.Madvise(m.data, syscall.MADV_DONTNEED) // advice only
	}
}
