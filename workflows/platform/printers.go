package platform

import "strings"

// A Printer is a command that prints a credential.
type Printer struct {
	// Opens is as in [SecretInfo].
	Opens string
	// Standing is set for a stored secret that a vault gives out; otherwise the
	// credential is minted and lives for hours at most.
	Standing bool
}

// printers are commands whose output is a credential, or a secret from a vault. What
// they print is masked by nobody unless the script asks for it. Sources: the tools'
// documentation, 2026-11.
var printers = map[string]Printer{
	"gcloud auth print-access-token":                     {Opens: "gcp"},
	"gcloud auth application-default print-access-token": {Opens: "gcp"},
	"gcloud auth print-identity-token":                   {Opens: "gcp"},
	"gcloud secrets versions access":                     {Opens: "gcp", Standing: true},
	"aws ecr get-login-password":                         {Opens: "aws"},
	"aws ecr-public get-login-password":                  {Opens: "aws"},
	"aws codeartifact get-authorization-token":           {Opens: "aws"},
	"aws sts assume-role":                                {Opens: "aws"},
	"aws sts assume-role-with-web-identity":              {Opens: "aws"},
	"aws sts get-session-token":                          {Opens: "aws"},
	"aws configure export-credentials":                   {Opens: "aws"},
	"aws secretsmanager get-secret-value":                {Opens: "aws", Standing: true},
	"az account get-access-token":                        {Opens: "azure"},
	"az acr login":                                       {Opens: "azure"},
	"az keyvault secret show":                            {Opens: "azure", Standing: true},
	"gh auth token":                                      {Opens: "github"},
	"kubectl create token":                               {Opens: "kubernetes"},
	"vault token create":                                 {Opens: "vault"},
	"vault kv get":                                       {Opens: "vault", Standing: true},
	"vault read":                                         {Opens: "vault", Standing: true},
	"op read":                                            {Opens: "1password", Standing: true},
	"op item get":                                        {Opens: "1password", Standing: true},
	"doppler secrets get":                                {Opens: "doppler", Standing: true},
	"infisical secrets get":                              {Opens: "infisical", Standing: true},
	"bw get":                                             {Opens: "bitwarden", Standing: true},
	"bws secret get":                                     {Opens: "bitwarden", Standing: true},
	"heroku auth:token":                                  {Opens: "heroku"},
	"sops --decrypt":                                     {Standing: true},
	"sops -d":                                            {Standing: true},
}

// DumpsEnvironment reports whether a command, by its words, prints all variables with
// their values.
func DumpsEnvironment(words []string) bool {
	if len(words) == 0 {
		return false
	}
	args := words[1:]
	switch words[0] {
	case "env", "printenv":
		return len(args) == 0 || args[0] == "-0" || args[0] == "--null"
	case "set":
		return len(args) == 0
	case "export", "declare", "typeset":
		return len(args) == 1 && (args[0] == "-p" || args[0] == "-x" || args[0] == "-px" || args[0] == "-xp")
	}
	return false
}

var printerIndex = indexPrinters()

type printerLine struct {
	words []string
	Printer
}

func indexPrinters() map[string][]printerLine {
	index := map[string][]printerLine{}
	for words, p := range printers {
		line := printerLine{strings.Fields(words), p}
		index[line.words[0]] = append(index[line.words[0]], line)
	}
	return index
}

// LookupPrinter returns what a command prints, by its words as [LookupCommand] takes
// them; ok is false when no credential is known to be in its output.
func LookupPrinter(words []string) (Printer, bool) {
	words = unwrap(words[:min(len(words), maxWords)])
	if len(words) == 0 {
		return Printer{}, false
	}
	for _, line := range printerIndex[words[0]] {
		if begins(words, line.words) && (line.words[1] != "acr" || hasFlag(words, "--expose-token")) {
			return line.Printer, true
		}
	}
	return Printer{}, false
}
