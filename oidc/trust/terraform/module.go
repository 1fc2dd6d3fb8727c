package terraform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/stint-dev/stint/oidc/trust"
)

// Errors are the files of a module that are not HCL, by path. The others were read.
type Errors map[string]error

func (e Errors) Error() string {
	path := slices.Sorted(maps.Keys(e))[0]
	return fmt.Sprintf("%s: %v", path, e[path])
}

// Find returns the trust policies of one module, whose files are given by path, in
// order of path and line. Files that are no HCL are an [Errors], beside what the
// others hold.
func Find(files map[string][]byte) ([]trust.Document, error) {
	m := &module{
		files: files, locals: map[string]hclsyntax.Expression{}, variables: map[string]hclsyntax.Expression{},
		blocks: map[string]*block{},
	}
	broken := Errors{}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := m.read(path, files[path]); err != nil {
			broken[path] = err
		}
	}
	docs := m.documents()
	slices.SortStableFunc(docs, func(a, b trust.Document) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	if len(broken) > 0 {
		return docs, broken
	}
	return docs, nil
}

// A module is the files of one directory.
type module struct {
	files             map[string][]byte
	locals, variables map[string]hclsyntax.Expression
	// blocks are the resources and data sources by their address.
	blocks map[string]*block
	order  []*block
}

// A block is one resource or data source.
type block struct {
	address, kind, path string
	line                int
	body                *hclsyntax.Body
}

func (m *module) read(path string, src []byte) (err error) {
	if len(src) > trust.MaxDocumentBytes {
		return fmt.Errorf("the file has more than %d MiB", trust.MaxDocumentBytes>>20)
	}
	file, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	if diags.HasErrors() {
		first := diags.Errs()[0].(*hcl.Diagnostic)
		line := 1
		if first.Subject != nil {
			line = first.Subject.Start.Line
		}
		return fmt.Errorf("line %d: it is not hcl: %s", line, strings.ToLower(first.Summary))
	}
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		m.add(path, b)
	}
	return nil
}

func (m *module) add(path string, b *hclsyntax.Block) {
	switch {
	case b.Type == "locals":
		for name, attr := range b.Body.Attributes {
			m.locals[name] = attr.Expr
		}
	case b.Type == "variable" && len(b.Labels) == 1:
		if attr := b.Body.Attributes["default"]; attr != nil {
			m.variables[b.Labels[0]] = attr.Expr
		}
	case (b.Type == "resource" || b.Type == "data") && len(b.Labels) == 2:
		address := b.Labels[0] + "." + b.Labels[1]
		if b.Type == "data" {
			address = "data." + address
		}
		r := &block{address, b.Labels[0], path, b.TypeRange.Start.Line, b.Body}
		m.blocks[address] = r
		m.order = append(m.order, r)
	}
}

func (m *module) documents() []trust.Document {
	var docs []trust.Document
	for _, b := range m.order {
		switch {
		case strings.HasPrefix(b.address, "data.aws_iam_policy_document."):
			docs = append(docs, m.policyAlone(b)...)
		case strings.HasPrefix(b.address, "data."):
		case b.kind == "aws_iam_role":
			docs = append(docs, m.role(b)...)
		case b.kind == "google_iam_workload_identity_pool_provider":
			docs = append(docs, m.poolProvider(b)...)
		case strings.HasSuffix(b.kind, "federated_identity_credential"):
			docs = append(docs, m.federated(b)...)
		case b.kind == "vault_jwt_auth_backend_role":
			docs = append(docs, m.vaultRole(b)...)
		}
	}
	return docs
}

// document is what was found in a block.
func (m *module) document(b *block, cloud string, body []byte, v *values) trust.Document {
	return trust.Document{Cloud: cloud, Path: b.path, Line: b.line, Name: b.address, Body: body, Unresolved: v.unresolved}
}
