package platform

import (
	"strings"
	"testing"
)

func TestLookupPrinter(t *testing.T) {
	for command, want := range map[string]Printer{
		"gcloud auth print-access-token --quiet":                            {Opens: "gcp"},
		"sudo gcloud --project a secrets versions access latest --secret b": {Opens: "gcp", Standing: true},
		"aws --region eu-west-1 ecr get-login-password":                     {Opens: "aws"},
		"az acr login -n a --expose-token":                                  {Opens: "azure"},
		"op read op://vault/item/field":                                     {Opens: "1password", Standing: true},
		"sops -d secrets.yaml":                                              {Standing: true},
		"az acr login -n a":                                                 {},
		"aws sts get-caller-identity":                                       {},
		"gcloud auth list":                                                  {},
		"echo gcloud auth print-access-token":                               {},
		"":                                                                  {},
	} {
		got, ok := LookupPrinter(strings.Fields(command))
		if got != want || ok != (want != Printer{}) {
			t.Errorf("%s: %+v, %v", command, got, ok)
		}
	}
}

func TestPrinterTable(t *testing.T) {
	for words, p := range printers {
		if fields := strings.Fields(words); len(fields) < 2 || p == (Printer{}) {
			t.Errorf("%q: %+v", words, p)
		}
	}
}
