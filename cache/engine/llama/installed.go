package llama

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// An Installed is a GGUF file that another program stored on this machine.
type Installed struct {
	Name   string // "smollm2:135m", or the file's name
	Path   string
	Bytes  int64
	Source string // "Ollama" or "LM Studio"
}

// maxListed bounds the files that are looked at.
const maxListed = 10_000

// ListInstalled returns the models that Ollama and LM Studio have under a user's home
// folder, sorted by name. ollama is Ollama's models folder, "" for .ollama/models of home
// (Ollama's own variable OLLAMA_MODELS names another). A folder that is not there has
// none; what can't be read is left out. [ReadConfig] reports
// whether this package can run a model.
func ListInstalled(home, ollama string) []Installed {
	if ollama == "" {
		ollama = filepath.Join(home, ".ollama", "models")
	}
	out := listOllama(ollama)
	for _, folder := range []string{filepath.Join(home, ".lmstudio", "models"), filepath.Join(home, ".cache", "lm-studio", "models")} {
		out = append(out, listStudio(folder)...)
	}
	slices.SortFunc(out, func(a, b Installed) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path)) })
	return out
}

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// listOllama reads the manifests, which name the blob of each model:
// manifests/REGISTRY/OWNER/MODEL/TAG.
func listOllama(folder string) (out []Installed) {
	root := filepath.Join(folder, "manifests")
	walk(root, func(path string, info fs.FileInfo) {
		if info.Size() > 1<<20 {
			return
		}
		data, err := os.ReadFile(path)
		var manifest struct {
			Layers []struct{ MediaType, Digest string }
		}
		if err != nil || json.Unmarshal(data, &manifest) != nil {
			return
		}
		for _, l := range manifest.Layers {
			if l.MediaType != "application/vnd.ollama.image.model" || !digest.MatchString(l.Digest) {
				continue
			}
			blob := filepath.Join(folder, "blobs", strings.Replace(l.Digest, ":", "-", 1))
			if info, err := os.Stat(blob); err == nil && info.Mode().IsRegular() {
				model := filepath.Base(filepath.Dir(path)) + ":" + filepath.Base(path)
				out = append(out, Installed{Name: model, Path: blob, Bytes: info.Size(), Source: "Ollama"})
			}
		}
	})
	return out
}

func listStudio(folder string) (out []Installed) {
	walk(folder, func(path string, info fs.FileInfo) {
		name := filepath.Base(path)
		if strings.EqualFold(filepath.Ext(name), ".gguf") && !strings.HasPrefix(name, "mmproj") {
			out = append(out, Installed{Name: name, Path: path, Bytes: info.Size(), Source: "LM Studio"})
		}
	})
	return out
}

// walk calls visit for each regular file below a folder.
func walk(folder string, visit func(path string, info fs.FileInfo)) {
	seen := 0
	_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what can't be read is left out
		}
		if seen++; seen > maxListed {
			return fs.SkipAll
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			visit(path, info)
		}
		return nil
	})
}
