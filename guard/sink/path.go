package sink

import (
	"errors"
	"path"
	"strings"
	"unicode/utf8"
)

// ErrPath reports a name that would leave its folder, or that means different
// files on different systems.
var ErrPath = errors.New("sink: the path isn't a plain one below its folder")

// CleanPath returns a model's file name as a clean, slash-separated path below a
// folder. It refuses what leaves the folder on any system, so that a test on Linux is
// true on Windows too. Refused are absolute paths, drive letters, ".." (also in percent
// encoding), backslashes, control characters, device names, streams, and names that
// end in a dot or a blank.
//
// A symbolic link can still lead out. Open the result with [os.Root].
func CleanPath(name string) (string, error) {
	if name == "" || !utf8.ValidString(name) || len(name) > 4096 {
		return "", ErrPath
	}
	for _, c := range name {
		if c < ' ' || c == 0x7f || strings.ContainsRune(`\:*?"<>|`, c) {
			return "", ErrPath
		}
	}
	if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "~") || strings.Contains(strings.ToLower(name), "%2") || strings.Contains(strings.ToLower(name), "%5c") {
		return "", ErrPath
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		if part == ".." || part != "." && (strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ")) || isDevice(part) {
			return "", ErrPath
		}
	}
	return path.Clean(name), nil
}

// isDevice reports whether a name is a device on Windows, with any extension.
func isDevice(part string) bool {
	name, _, _ := strings.Cut(strings.ToUpper(part), ".")
	name = strings.TrimRight(name, " ")
	switch name {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if rest, ok := strings.CutPrefix(name, "COM"); ok || strings.HasPrefix(name, "LPT") {
		if !ok {
			rest = name[len("LPT"):]
		}
		return utf8.RuneCountInString(rest) == 1 && strings.ContainsAny(rest, "0123456789¹²³")
	}
	return false
}
