//go:build (linux || darwin || freebsd) && !purego

package snapshot

import (
	"os"
	"syscall"
)

// memory is the content of a file.
type memory struct {
	data   []byte
	mapped bool
}

// load maps a file. Pages that are written to are copied, for this process only.
func load(path string) (*memory, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // the mapping stays
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := int(info.Size())
	if size == 0 || !info.Mode().IsRegular() {
		return read(path)
	}
	data, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
	if err != nil { // not every file system can
		return read(path)
	}
	return &memory{data, true}, nil
}

func (m *memory) free() {
	if m.mapped {
		_ = syscall.Munmap(m.data) // it was mapped
		m.data, m.mapped = nil, false
	}
}
