package supply

import (
	"cmp"
	"errors"
	"slices"

	"github.com/prodailabs/prodai/guard/threat"
)

// ErrOption reports an option or an argument that cannot work.
var ErrOption = errors.New("supply: invalid option")

// A Status is the result of a scan. Only StatusClean says that a file was read to its
// end and that nothing was found.
type Status uint8

// The statuses of a scan.
const (
	StatusUnset      Status = iota
	StatusClean             // read to the end, and nothing found
	StatusSkipped           // not a file that a model loader reads, such as a README
	StatusIncomplete        // not read to the end, or of a format that the scanner can't read
	StatusUnsafe            // at least one finding of [SeverityUnlisted] or above
)

// String returns the status as a word.
func (s Status) String() string {
	return [...]string{"unset", "clean", "skipped", "incomplete", "unsafe"}[min(s, StatusUnsafe)]
}

// A Severity orders findings.
type Severity uint8

// The severities.
const (
	SeverityUnset      Severity = iota
	SeverityNote                // worth knowing; the file may still be clean
	SeverityIncomplete          // a part of the file was not checked
	SeverityUnlisted            // an import that no allow list has: unknown, so not safe
	SeverityDangerous           // a known way to run code, read or write files, or leave a folder
)

// String returns the severity as a word.
func (s Severity) String() string {
	return [...]string{"unset", "note", "incomplete", "unlisted", "dangerous"}[min(s, SeverityDangerous)]
}

// The kinds of findings.
const (
	KindImport   = "import"   // a pickle imports a function or a class
	KindCall     = "call"     // a pickle calls or changes something in a way that hides what it is
	KindFormat   = "format"   // a file breaks the rules of its format
	KindPath     = "path"     // a name in an archive leaves its folder
	KindCode     = "code"     // a file has code that a loader runs
	KindTemplate = "template" // a chat template reaches for Python's internals
	KindUnread   = "unread"   // a part was not read
)

// A Finding is one thing that a scan found.
type Finding struct {
	Severity Severity
	Kind     string // one of the Kind constants
	Member   string // the path within an archive, "" for the file itself
	Offset   int64  // the byte in the file or member, -1 if it has none
	Reason   string
	Threats  []string // ids of [github.com/prodailabs/prodai/guard/threat]
}

// A Global is a name that a pickle imports.
type Global struct {
	Module, Name string
}

// String returns the name as Python writes it.
func (g Global) String() string { return g.Module + "." + g.Name }

// A Report is the result of a scan of one file.
type Report struct {
	Path     string
	Format   string // "pickle", "zip", "safetensors", "gguf", …, "" if unknown
	Status   Status
	Globals  []Global  // all imports of all pickles in the file, sorted
	Findings []Finding // the most severe first
}

// threats are the ids that a finding of this package has.
var threats = []string{threat.SupplyChain, "AML.T0010", "AML.T0011.000"}

// A collector gathers what the scan of one file finds. It keeps a bounded number
// of findings, so that a hostile file can't fill the memory.
type collector struct {
	member   string
	depth    int
	globals  map[Global]bool
	findings *[]Finding
	dropped  *int
	budget   *int64 // decompressed bytes that may still be read
}

const maxFindings = 1000

func newCollector(budget int64) *collector {
	return &collector{globals: map[Global]bool{}, findings: new([]Finding), dropped: new(int), budget: &budget}
}

// in returns a collector for a member of an archive or for what is compressed in a file.
func (c *collector) in(member string) *collector {
	inner := *c
	inner.member = cmp.Or(member, c.member)
	if c.member != "" && member != "" {
		inner.member = c.member + "!" + member
	}
	inner.depth++
	return &inner
}

func (c *collector) add(s Severity, kind string, offset int64, reason string) {
	if len(*c.findings) >= maxFindings {
		*c.dropped++
		return
	}
	f := Finding{Severity: s, Kind: kind, Member: c.member, Offset: offset, Reason: reason}
	if s >= SeverityUnlisted {
		f.Threats = threats
	}
	*c.findings = append(*c.findings, f)
}

// report makes the report of a file.
func (c *collector) report(path, format string) Report {
	r := Report{Path: path, Format: format, Status: StatusClean, Findings: *c.findings}
	if *c.dropped > 0 {
		r.Findings = append(r.Findings, Finding{Severity: SeverityIncomplete, Kind: KindUnread, Offset: -1, Reason: "the file has more findings than a report keeps"})
	}
	for g := range c.globals {
		r.Globals = append(r.Globals, g)
	}
	slices.SortFunc(r.Globals, func(a, b Global) int {
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	if len(r.Findings) > 0 {
		switch worst := r.Findings[0].Severity; {
		case worst >= SeverityUnlisted:
			r.Status = StatusUnsafe
		case worst == SeverityIncomplete:
			r.Status = StatusIncomplete
		}
	}
	if r.Status == StatusClean && format == "" {
		r.Status = StatusSkipped
	}
	return r
}
