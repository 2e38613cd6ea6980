//go:build (darwin || freebsd) && !purego

package snapshot

func (m *memory) forget() {}
