// Package rayserve makes an application of Ray Serve a target of package route, if it
// has OpenAI's routes, as Ray Serve LLM has.
//
//	m, err := rayserve.New("http://ray:8000", "llama-3", &rayserve.Options{MetricsURL: "http://ray:8080/metrics"})
//	…
//	target := route.Target{Name: "ray", Model: m, Check: m.Check, Load: m.Load, SpillAt: 8}
//
// The adapter was tested against recorded traffic of Ray Serve 2.60 with a FastAPI
// application, and once by hand against a running one, its metrics included.
//
// # What is different from OpenAI
//
//   - The health is /-/healthz of the proxy, with the text "success". It shows nothing of
//     a single deployment.
//   - A bad request is 422 with FastAPI's {"detail": […]}, all mistakes at once.
//   - The metrics are on a port of their own on each node, so a cluster with several
//     nodes needs a Prometheus in between, or one MetricsURL for each.
//   - Ray balances its replicas by itself. An application is one target, whatever its
//     number of replicas.
package rayserve
