package supply

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// A Near is a known name that another name resembles.
type Near struct {
	Known    string
	Reason   string // "edit", "same letters", "order of words", "added word", "owner" or "look-alike"
	Distance int    // edits between the normalized names
}

// Names finds names that resemble a known one: typosquats of packages and models. It is
// safe for concurrent use.
type Names struct {
	known   map[string]bool   // as given
	forms   []form            // in the order of their names
	flat    map[string]string // without separators -> name
	sorted  map[string]string // words in order -> name
	allowed map[string]bool
}

type form struct{ name, plain string }

// NamesOptions configure [NewNames].
type NamesOptions struct {
	// Allow lists names that resemble a known one and are right, such as "torchvision".
	// Default: none.
	Allow []string
}

// NewNames makes a finder from the names that you mean: your dependencies, the models
// that you use. PopularNames has well-known ones.
func NewNames(known []string, o *NamesOptions) (*Names, error) {
	if len(known) == 0 || len(known) > 100_000 {
		return nil, fmt.Errorf("%w: %d known names: want 1 to 100,000", ErrOption, len(known))
	}
	n := &Names{known: map[string]bool{}, flat: map[string]string{}, sorted: map[string]string{}, allowed: map[string]bool{}}
	for _, name := range known {
		p := plainName(name)
		if p == "" || len(name) > maxNameBytes {
			return nil, fmt.Errorf("%w: the known name %q is empty or longer than %d bytes", ErrOption, name, maxNameBytes)
		}
		n.known[strings.ToLower(name)] = true
		n.forms = append(n.forms, form{name, p})
		n.flat[flatName(p)] = name
		n.sorted[wordsInOrder(p)] = name
	}
	if o != nil {
		for _, name := range o.Allow {
			n.allowed[strings.ToLower(name)] = true
		}
	}
	slices.SortFunc(n.forms, func(a, b form) int { return cmp.Compare(a.name, b.name) })
	return n, nil
}

const maxNameBytes = 256

// lookAlikes maps letters of other scripts, and digits, to the Latin letters they
// are read as.
var lookAlikes = strings.NewReplacer("0", "o", "1", "l", "3", "e", "5", "s", "vv", "w", "rn", "m", "cl", "d",
	"а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "у", "y", "х", "x", "і", "i", "ѕ", "s", "ј", "j", "ԁ", "d", "ɡ", "g", "ο", "o", "α", "a", "ν", "v", "ı", "i")

// plainName returns a name in lower case, with its runs of ., _ and - as one -, as
// package indexes compare names (PEP 503).
func plainName(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(norm.NFKC.String(name)) {
		if strings.ContainsRune("._- ", r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('-')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

func flatName(plain string) string { return strings.ReplaceAll(plain, "-", "") }

func wordsInOrder(plain string) string {
	words := strings.Split(plain, "-")
	slices.Sort(words)
	return strings.Join(words, "-")
}

// affixes are words that a typosquat adds to a known name.
var affixes = []string{"python", "py", "lib", "dev", "sdk", "api", "client", "official", "core", "utils", "tools", "js", "go", "pro", "plus", "new", "test", "v2", "ai", "cli", "x"}

// Near returns the known name that a name resembles, and false if the name is a known
// or allowed one, or resembles none. Edits are insertions, deletions, changes and swaps
// of neighbors (optimal string alignment); how many are near depends on the length: none
// below 4 characters, 1 up to 9, 2 above. A model's owner is compared too: a known
// name with another owner is reported as "owner".
func (n *Names) Near(name string) (Near, bool) {
	if len(name) > maxNameBytes || n.known[strings.ToLower(name)] || n.allowed[strings.ToLower(name)] {
		return Near{}, false
	}
	p := plainName(name)
	flat := flatName(p)
	if known, ok := n.flat[flat]; ok {
		if plainName(known) == p {
			return Near{}, false // the same package to an index
		}
		return Near{known, "same letters", distance(p, plainName(known))}, true
	}
	if known, ok := n.sorted[wordsInOrder(p)]; ok {
		return Near{known, "order of words", distance(p, plainName(known))}, true
	}
	read := lookAlikes.Replace(flat)
	best, found := Near{Distance: 1 << 30}, false
	for _, f := range n.forms {
		if r, d, ok := resembles(p, read, f.plain); ok && d < best.Distance {
			best, found = Near{f.name, r, d}, true
		}
	}
	return best, found
}

// resembles compares a name with one known name.
func resembles(p, read, known string) (reason string, edits int, ok bool) {
	flatKnown := flatName(known)
	if lookAlikes.Replace(flatKnown) == read {
		return "look-alike", distance(p, known), true
	}
	owner, model, two := strings.Cut(p, "/")
	knownOwner, knownModel, knownTwo := strings.Cut(known, "/")
	if two && knownTwo && flatName(model) == flatName(knownModel) && len(knownModel) > 3 && owner != knownOwner {
		return "owner", distance(owner, knownOwner), true
	}
	for _, a := range affixes {
		if p == known+"-"+a || p == a+"-"+known || len(known) > 4 && (p == known+a || p == a+known) {
			return "added word", len(a), true
		}
	}
	limit := 0
	switch n := len(known); {
	case n >= 10:
		limit = 2
	case n >= 4:
		limit = 1
	}
	if gap := len(p) - len(known); limit == 0 || gap > limit*4 || -gap > limit*4 {
		return "", 0, false
	}
	d := distance(p, known)
	return "edit", d, d <= limit
}

// distance counts the edits between two names, with swaps of neighbors (optimal string
// alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// PopularNames are names of packages and models of the field that are often imitated.
// The list is short and of 2026: give [NewNames] the names that you use as well.
func PopularNames() []string {
	return strings.Fields(`
		torch torchvision torchaudio tensorflow tensorboard keras jax jaxlib flax numpy scipy pandas polars scikit-learn
		matplotlib seaborn pillow opencv-python requests urllib3 httpx aiohttp fastapi uvicorn pydantic starlette flask django
		transformers tokenizers datasets accelerate diffusers safetensors huggingface-hub sentence-transformers peft trl
		bitsandbytes xformers flash-attn vllm llama-cpp-python ollama openai anthropic google-generativeai cohere mistralai
		litellm langchain langchain-core langchain-openai langgraph llama-index haystack-ai chromadb pinecone weaviate-client
		qdrant-client faiss-cpu pgvector redis celery sqlalchemy psycopg2 boto3 botocore cryptography paramiko pyyaml jinja2
		click rich tqdm joblib dill cloudpickle gradio streamlit mlflow wandb ray dask onnx onnxruntime spacy nltk gensim
		beautifulsoup4 selenium playwright scrapy setuptools pip wheel virtualenv pytest colorama python-dateutil
		google-bert/bert-base-uncased openai-community/gpt2 openai/whisper-large-v3 sentence-transformers/all-MiniLM-L6-v2
		meta-llama/Llama-3.1-8B-Instruct meta-llama/Llama-3.3-70B-Instruct mistralai/Mistral-7B-Instruct-v0.3
		Qwen/Qwen2.5-7B-Instruct google/gemma-2-9b-it microsoft/phi-4 deepseek-ai/DeepSeek-R1 BAAI/bge-m3
		stabilityai/stable-diffusion-xl-base-1.0 black-forest-labs/FLUX.1-dev`)
}
