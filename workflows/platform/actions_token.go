package platform

// nothing and contentsRead are the two needs that most actions have.
var (
	nothing      = map[string]string{}
	contentsRead = map[string]string{"contents": "read"}
)

// tokenNeeds is what actions need of the repository token, for those where it is
// certain. Sources: the "permissions" sections of the actions' READMEs, 2026-11;
// setup actions use the token to read public release lists only, which needs no scope.
var tokenNeeds = map[string]map[string]string{
	"actions/checkout":                       contentsRead,
	"actions/cache":                          nothing, // the cache service has its own token
	"actions/cache/restore":                  nothing,
	"actions/cache/save":                     nothing,
	"actions/upload-artifact":                nothing, // so has the artifact service
	"actions/setup-node":                     nothing,
	"actions/setup-python":                   nothing,
	"actions/setup-go":                       nothing,
	"actions/setup-java":                     nothing,
	"actions/setup-dotnet":                   nothing,
	"ruby/setup-ruby":                        nothing,
	"dtolnay/rust-toolchain":                 nothing,
	"actions-rust-lang/setup-rust-toolchain": nothing,
	"swatinem/rust-cache":                    nothing,
	"pnpm/action-setup":                      nothing,
	"oven-sh/setup-bun":                      nothing,
	"denoland/setup-deno":                    nothing,
	"astral-sh/setup-uv":                     nothing,
	"gradle/actions/setup-gradle":            nothing,
	"docker/setup-qemu-action":               nothing,
	"docker/setup-buildx-action":             nothing,
	"actions/upload-pages-artifact":          nothing,
	"actions/deploy-pages":                   {"pages": "write", "id-token": "write"},
	"actions/configure-pages":                {"pages": "read"},
	"actions/labeler":                        {"contents": "read", "pull-requests": "write"},
	"softprops/action-gh-release":            {"contents": "write"},
	"ncipollo/release-action":                {"contents": "write"},
	"github/codeql-action/init":              {"contents": "read"},
	"github/codeql-action/autobuild":         {"contents": "read"},
	"github/codeql-action/analyze":           {"contents": "read", "security-events": "write", "actions": "read"},
}
