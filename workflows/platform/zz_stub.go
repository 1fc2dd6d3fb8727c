package platform

func lookupEvent(name string) (Event, bool)            { return Event{Name: name}, false }
func lookupContext(path string) Context                { return Context{} }
func lookupAction(name string) (ActionInfo, bool)      { return ActionInfo{}, false }
func lookupSecret(name string) SecretInfo              { return SecretInfo{} }
func lookupCommand(words []string) (CommandInfo, bool) { return CommandInfo{}, false }
func lookupBad(name, ref, version string) []Advisory   { return nil }
