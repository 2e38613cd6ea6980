package threat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ErrOption reports a required argument that is nil.
var ErrOption = errors.New("threat: invalid option")

// ErrSystem reports a description of a system that can't be analyzed.
var ErrSystem = errors.New("threat: the description is not valid")

// The kinds of parts that a system has.
const (
	PartUser      = "user"      // a person or a client that sends requests
	PartApp       = "app"       // code that you control
	PartModel     = "model"     // a language model
	PartDocuments = "documents" // a knowledge base, mail, web pages: what the model reads
	PartTool      = "tool"      // what the model can start
	PartBrowser   = "browser"   // where an answer is shown
	PartDatabase  = "database"  // where an answer or its parts are run or stored
	PartMemory    = "memory"    // what the model remembers between conversations
	PartLog       = "log"       // logs, traces, evaluation sets
	PartSupplier  = "supplier"  // where models, packages and data sets come from
	PartTraining  = "training"  // data that a model is trained or tuned on
	PartSecrets   = "secrets"   // keys and passwords
)

var partKinds = []string{PartUser, PartApp, PartModel, PartDocuments, PartTool, PartBrowser, PartDatabase, PartMemory, PartLog, PartSupplier, PartTraining, PartSecrets}

// The zones of trust, from the least to the most trusted.
const (
	ZoneOutside = "outside" // strangers can write here
	ZoneTenant  = "tenant"  // one customer's users can
	ZoneInside  = "inside"  // only you can
)

var zones = []string{ZoneOutside, ZoneTenant, ZoneInside}

// A Part is one component of a system.
type Part struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // one of the Part constants
	Zone string `json:"zone"` // one of the Zone constants
	// Acts reports that a tool changes something outside, such as mail or money.
	Acts bool `json:"acts,omitempty"`
}

// A Flow is data that goes from one part to another.
type Flow struct {
	From string `json:"from"`
	To   string `json:"to"`
	Data string `json:"data"` // in words, such as "the question"
	// Personal reports that the data may have personal data or secrets in it.
	Personal bool `json:"personal,omitempty"`
}

// A System is a data-flow description: the parts, what flows between them, and the
// layers of defense that are in place, by the names of their packages.
type System struct {
	Name   string   `json:"name"`
	Parts  []Part   `json:"parts"`
	Flows  []Flow   `json:"flows"`
	Layers []string `json:"layers"` // such as "guard/injection" or "-review"
}

// ReadSystem reads a description in JSON. An unknown field is an error, since a
// misspelled one would hide a threat.
func ReadSystem(r io.Reader) (*System, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the reader is nil", ErrOption)
	}
	d := json.NewDecoder(io.LimitReader(r, 16<<20))
	d.DisallowUnknownFields()
	s := &System{}
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSystem, err)
	}
	_, err := s.check()
	return s, err
}

func (s *System) check() (map[string]Part, error) {
	parts := map[string]Part{}
	for _, p := range s.Parts {
		_, twice := parts[p.Name]
		if p.Name == "" || twice || !slices.Contains(partKinds, p.Kind) || !slices.Contains(zones, p.Zone) {
			return nil, fmt.Errorf("%w: the part %q of kind %q in zone %q: want a name of its own, a kind of %v and a zone of %v", ErrSystem, p.Name, p.Kind, p.Zone, partKinds, zones)
		}
		parts[p.Name] = p
	}
	if len(s.Flows) == 0 {
		return nil, fmt.Errorf("%w: it has no flow", ErrSystem)
	}
	for _, f := range s.Flows {
		for _, name := range []string{f.From, f.To} {
			if _, ok := parts[name]; !ok {
				return nil, fmt.Errorf("%w: the flow from %q to %q: there is no part %q", ErrSystem, f.From, f.To, name)
			}
		}
	}
	return parts, nil
}

// A Layer answers a threat.
type Layer struct {
	Package string // such as "guard/injection"; with a dash before it a practice, such as "-review"
	What    string // what it does, in a few words
}

// An Attack is a threat that a flow is open to.
type Attack struct {
	Flow    Flow
	STRIDE  string   // the kind of the threat, see the notes of the package
	Threats []string // ids of OWASP and ATLAS
	How     string   // what the attacker does
	Layers  []Layer  // what answers it, the strongest first
	Border  bool     // the data comes from a less trusted zone
	// Answered has the packages of Layers that the system has. Without one the attack
	// is open.
	Answered []string
}

// Analyze returns the attacks that each flow is open to, in the order of the flows and
// of the rules. It knows kinds of parts and zones, and nothing of your code: what it
// lists is where to look, and an answered attack still needs its test.
func (s *System) Analyze() ([]Attack, error) {
	parts, err := s.check()
	if err != nil {
		return nil, err
	}
	var out []Attack
	for _, f := range s.Flows {
		from, to := parts[f.From], parts[f.To]
		for i := range rules {
			r := &rules[i]
			if !r.fits(f, from, to, s.tainted(parts, f.From)) {
				continue
			}
			a := Attack{Flow: f, STRIDE: r.stride, Threats: strings.Fields(r.threats), How: r.how, Border: slices.Index(zones, from.Zone) < slices.Index(zones, to.Zone)}
			for _, name := range strings.Fields(r.layers) {
				a.Layers = append(a.Layers, Layer{name, layerWords[name]})
				if slices.Contains(s.Layers, name) {
					a.Answered = append(a.Answered, name)
				}
			}
			out = append(out, a)
		}
	}
	return out, nil
}

// tainted reports whether data that outsiders wrote reaches a part, over any number of
// flows: through documents into the model, and from the model into a tool.
func (s *System) tainted(parts map[string]Part, name string) bool {
	seen := map[string]bool{}
	queue := []string{name}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		if parts[at].Zone != ZoneInside && parts[at].Kind != PartBrowser {
			return true
		}
		for _, f := range s.Flows {
			if f.To == at {
				queue = append(queue, f.From)
			}
		}
	}
	return false
}

// A rule says which flows are open to an attack. Empty kinds fit every part.
type rule struct {
	from, to string // kinds, several with blanks between
	outside  bool   // only if outsiders can write what flows
	personal bool   // only if the data is personal
	acts     bool   // only if the receiving tool acts
	stride   string
	threats  string
	how      string
	layers   string // package names, the strongest first
}

func (r *rule) fits(f Flow, from, to Part, tainted bool) bool {
	has := func(kinds, kind string) bool { return kinds == "" || slices.Contains(strings.Fields(kinds), kind) }
	return has(r.from, from.Kind) && has(r.to, to.Kind) && (!r.outside || tainted) && (!r.personal || f.Personal) && (!r.acts || to.Acts)
}
