// Package threat names what a check defends against: the identifiers of the
// OWASP Top 10 for LLM Applications 2025 and of MITRE ATLAS 5.6.0, with their
// names, so that a verdict, a log line and a red-team report speak of the same
// thing.
//
//	for _, id := range finding.Threats {
//		t, _ := threat.Lookup(id)
//		fmt.Println(t.ID, t.Name)
//	}
//
// # Further reading
//
//   - OWASP Top 10 for LLM Applications 2025, https://genai.owasp.org/llm-top-10/
//   - MITRE ATLAS, https://atlas.mitre.org/matrices/ATLAS
package threat
