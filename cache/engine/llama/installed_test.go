package llama

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestListInstalled(t *testing.T) {
	home := t.TempDir()
	write := func(path, text string) string {
		path = filepath.Join(home, filepath.FromSlash(path))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	hash := strings.Repeat("ab", 32)
	blob := write(".ollama/models/blobs/sha256-"+hash, "GGUF")
	manifest := func(digest string) string {
		return `{"layers":[{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:x"},{"mediaType":"application/vnd.ollama.image.model","digest":"` + digest + `"}]}`
	}
	write(".ollama/models/manifests/registry/library/smollm2/135m", manifest("sha256:"+hash))
	write(".ollama/models/manifests/registry/library/gone/latest", manifest("sha256:"+strings.Repeat("cd", 32)))
	write(".ollama/models/manifests/registry/library/escape/latest", manifest("sha256:../../../etc/passwd"))
	write(".ollama/models/manifests/registry/library/broken/latest", "{")
	studio := write(".lmstudio/models/owner/repo/a.gguf", "GGUFx")
	write(".lmstudio/models/owner/repo/mmproj-a.gguf", "GGUF")
	write(".lmstudio/models/owner/repo/readme.md", "")
	require.Equal(t, []Installed{
		{Name: "a.gguf", Path: studio, Bytes: 5, Source: "LM Studio"}, {Name: "smollm2:135m", Path: blob, Bytes: 4, Source: "Ollama"},
	}, ListInstalled(home, ""))
	require.Empty(t, ListInstalled(t.TempDir(), ""))
}
