package threat

import (
	_ "embed"
	"iter"
	"strings"
	"sync"
)

// The identifiers that the detectors of this library report.
const (
	PromptInjection        = "LLM01:2025"    // OWASP: Prompt Injection
	SensitiveDisclosure    = "LLM02:2025"    // OWASP: Sensitive Information Disclosure
	OutputHandling         = "LLM05:2025"    // OWASP: Improper Output Handling
	ExcessiveAgency        = "LLM06:2025"    // OWASP: Excessive Agency
	PromptLeakage          = "LLM07:2025"    // OWASP: System Prompt Leakage
	UnboundedConsumption   = "LLM10:2025"    // OWASP: Unbounded Consumption
	SupplyChain            = "LLM03:2025"    // OWASP: Supply Chain
	LLMInjection           = "AML.T0051"     // ATLAS: LLM Prompt Injection
	DirectInjection        = "AML.T0051.000" // ATLAS: Direct
	IndirectInjection      = "AML.T0051.001" // ATLAS: Indirect
	Jailbreak              = "AML.T0054"     // ATLAS: LLM Jailbreak
	SystemPromptExtraction = "AML.T0056"     // ATLAS: Extract LLM System Prompt
	DataLeakage            = "AML.T0057"     // ATLAS: LLM Data Leakage
	UnsecuredCredentials   = "AML.T0055"     // ATLAS: Unsecured Credentials
	Obfuscation            = "AML.T0068"     // ATLAS: LLM Prompt Obfuscation
)

// A Threat is one row of the lists.
type Threat struct {
	ID      string
	Kind    string   // risk (OWASP); tactic, technique, subtechnique, mitigation (ATLAS)
	Name    string   // as the list gives it
	Parents []string // a subtechnique's technique, a technique's tactics
}

//go:embed ids.tsv
var table string

var load = sync.OnceValues(func() ([]Threat, map[string]int) {
	var all []Threat
	index := map[string]int{}
	for line := range strings.Lines(table) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		t := Threat{ID: f[0], Kind: f[1], Name: f[3]}
		if f[2] != "" {
			t.Parents = strings.Split(f[2], ",")
		}
		index[t.ID] = len(all)
		all = append(all, t)
	}
	return all, index
})

// Lookup returns the threat with an id such as "LLM01:2025" or "AML.T0051".
func Lookup(id string) (Threat, bool) {
	all, index := load()
	i, ok := index[id]
	if !ok {
		return Threat{}, false
	}
	return all[i], true
}

// All yields every row: the OWASP risks and the ATLAS tactics, techniques,
// subtechniques and mitigations.
func All() iter.Seq[Threat] {
	return func(yield func(Threat) bool) {
		all, _ := load()
		for _, t := range all {
			if !yield(t) {
				return
			}
		}
	}
}
