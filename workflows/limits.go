package workflows

// Limits on what is read from hostile files.
const (
	// MaxFileBytes is the largest file that is parsed; larger ones are Unread.
	MaxFileBytes = 4 << 20
	// MaxNodes is the largest number of YAML nodes read from one file, and also
	// the largest number that all its aliases together may stand for, so that a
	// few kilobytes of nested aliases cannot ask for gigabytes.
	MaxNodes = 400_000
	// MaxDepth is the deepest nesting of YAML values followed.
	MaxDepth = 200
	// MaxProblems is the largest number of problems listed of one file.
	MaxProblems = 200
	// MaxExprBytes is the longest single expression that is parsed.
	MaxExprBytes = 64 << 10
	// MaxScriptBytes is the longest run: block parsed as shell.
	MaxScriptBytes = 512 << 10
	// MaxFiles is the largest number of files read from one repository.
	MaxFiles = 20_000
	// MaxDirDepth is the deepest directory searched below a path.
	MaxDirDepth = 100
)
