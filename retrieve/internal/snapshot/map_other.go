//go:build !(linux || darwin || freebsd) || purego

package snapshot

// memory is the content of a file.
type memory struct{ data []byte }

func load(path string) (*memory, error) { return read(path) }

func (m *memory) free() {}

func (m *memory) forget() {}
