package route

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/browser"
)

func TestAdmin(t *testing.T) {
	c, err := NewCanary(&CanaryOptions{Version: "v2 <b>"})
	require.NoError(t, err)
	m := newModel(t, &Options{Canary: c}, Target{Name: "old <script>", Model: says("a")}, Target{Name: "new", Model: says("b"), Canary: true})
	a, err := NewAdmin(m.Pool(), nil)
	require.NoError(t, err)
	_, err = NewAdmin(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	do := func(method, path string, form url.Values, change func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if change != nil {
			change(r)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w
	}
	w := do("GET", "/", nil, nil)
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), "old &lt;script&gt;")
	require.NotContains(t, w.Body.String(), "<b>v2 <b>")
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	require.Equal(t, 403, do("GET", "/", nil, func(r *http.Request) { r.Host = "evil.example" }).Code)
	require.Equal(t, 403, do("POST", "/rollback", nil, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }).Code)
	require.Equal(t, PhaseProgressing, c.State().Phase)
	require.Equal(t, 405, do("GET", "/rollback", nil, nil).Code)

	w = do("POST", "/drain", url.Values{"target": {"old <script>"}}, nil)
	require.Equal(t, 303, w.Code)
	require.Equal(t, "drained", m.p.Status(time.Now())[0].State)
	require.Contains(t, do("GET", "/?did=drained", nil, nil).Body.String(), "Bring back")
	require.Equal(t, "./?did=unknown", do("POST", "/drain", url.Values{"target": {"nope"}}, nil).Header().Get("Location"))
	do("POST", "/undrain", url.Values{"target": {"old <script>"}}, nil)
	do("POST", "/pause", nil, nil)
	require.Equal(t, PhasePaused, c.State().Phase)
	do("POST", "/resume", nil, nil)
	do("POST", "/rollback", nil, nil)
	require.Equal(t, PhaseFailed, c.State().Phase)

	var state struct {
		Targets []Status
		Canary  struct {
			PhaseName string `json:"phase_name"`
			Weight    int
		}
	}
	require.NoError(t, json.Unmarshal(do("GET", "/state.json", nil, nil).Body.Bytes(), &state))
	require.Equal(t, "failed", state.Canary.PhaseName)
	require.Zero(t, state.Canary.Weight)
	require.Equal(t, "up", state.Targets[0].State)
	alone, err := NewAdmin(newPool(t, names(2), nil), &AdminOptions{Hosts: []string{"ops.example"}})
	require.NoError(t, err)
	r := httptest.NewRequest("POST", "http://ops.example:8080/rollback", nil)
	rec := httptest.NewRecorder()
	alone.ServeHTTP(rec, r)
	require.Equal(t, "./?did=unknown", rec.Header().Get("Location"))
}

// TestAdminInABrowser drains a target and rolls back with the keyboard alone, on a phone,
// and sees calls arrive without a key.
func TestAdminInABrowser(t *testing.T) {
	c, err := NewCanary(&CanaryOptions{Version: "v2 of " + strings.Repeat("long", 30)})
	require.NoError(t, err)
	second := `gpu-2"] <b>`
	m := newModel(t, &Options{Canary: c}, Target{Name: "gpu-1", Model: says("a")}, Target{Name: second, Model: says("b")},
		Target{Name: "canary." + strings.Repeat("x", 60), Model: says("c"), Canary: true})
	a, err := NewAdmin(m.Pool(), nil)
	require.NoError(t, err)
	state := func(i int) string { return m.Pool().Status(time.Now())[i].State }
	b := browser.Open(t, http.StripPrefix("/routes", a), "127.0.0.1/routes/", 390)
	press := func(button, message string) {
		t.Helper()
		b.TabTo("document.activeElement.textContent === " + strconv.Quote(button))
		b.Press("\r")
		b.Until(message, `document.querySelector("[role=status]")?.textContent`)
	}
	b.Fits(1280, "routes-1280")
	b.Fits(390, "routes-390")
	press("Drain "+second, "The target gets no more calls. Those in progress end.")
	require.Equal(t, []string{"up", "drained"}, []string{state(0), state(1)})
	press("Bring back "+second, "The target gets calls again.")
	require.Equal(t, "up", state(1))
	for range 4 {
		_, err := m.Call(t.Context(), "hi")
		require.NoError(t, err)
	}
	b.Until("4", `[...document.querySelectorAll("tbody tr")].reduce((n, r) => n + Number(r.cells[7].textContent), 0)`)
	press("Pause the steps", "The steps are paused. The test goes on.")
	press("Roll back", "The canary gets no more traffic.")
	require.Equal(t, PhaseFailed, c.State().Phase)
	b.Fits(1280, "rolled-back-1280")
	b.Fits(390, "rolled-back-390")
	require.NoError(t, m.Pool().Drain("gpu-1")) // by another person
	b.Until("drained", `document.querySelector("tbody tr").cells[2].textContent`)
	b.TabTo(`document.activeElement.textContent === "Bring back gpu-1"`)
}
