package org.backplane.shell;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineOptions;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

/**
 * Completes the arguments of our commands by their syntax and by what is there now. Gogo's own completer, which does all else, knows fixed lists and
 * resolves a name without a scope in another order than the shell does; so this one goes first.
 */
final class ShellCompleter implements Completer {
    private final CommandSession session;
    private final Catalog catalog;
    private final Completer files;
    private final Completer others;
    private final Candidates candidates;
    private final Predicate<String> isMachine;

    /**
     * @param files completes file names
     * @param others completes what is not ours
     */
    ShellCompleter(CommandSession session, Catalog catalog, MachineDirectory directory, Completer files, Completer others) {
        this.session = session;
        this.catalog = catalog;
        this.files = files;
        this.others = others;
        candidates = new Candidates(directory);
        isMachine = name -> directory.machines().find(name).isPresent();
    }

    @Override
    public void complete(LineReader reader, ParsedLine line, List<Candidate> result) {
        if (line.wordIndex() == 0) {
            commands(reader, line, result);
            return;
        }
        Optional<Catalog.Entry> command = command(line.words().getFirst());
        if (command.isEmpty()) {
            others.complete(reader, line, result);
            return;
        }
        List<String> before = line.words().subList(1, line.wordIndex());
        Optional<Machine> machine = before.stream().findFirst().flatMap(candidates::named).or(() -> candidates.current(session));
        for (String word : possible(command.get(), before, line.word())) {
            if (word.startsWith("FILE")) files.complete(reader, line, result);
            else candidates.of(word, session, machine, before.isEmpty() ? "" : before.getLast()).forEach(c -> result.add(new Candidate(c)));
        }
    }

    private Optional<Catalog.Entry> command(String word) {
        return word.equals("help") ? Optional.of(new Catalog.Entry("backplane", "help", "[COMMAND]", "", List.of())) : catalog.find(word);
    }

    /** What may stand here. Options and their values are found by the word before; all else by its place. */
    private List<String> possible(Catalog.Entry command, List<String> before, String word) {
        if (!command.syntax().contains("OPTION")) return new Syntax(command.syntax()).at(before, isMachine);
        Optional<MachineOptions.Option> option = before.isEmpty() ? Optional.empty() : Candidates.option(before.getLast());
        if (option.isPresent() && !option.get().argument().isEmpty()) return Candidates.values(option.get());
        return before.isEmpty() && !word.startsWith("-") ? List.of() : List.of("OPTION");
    }

    /** Our commands with what they do, then all others. */
    private void commands(LineReader reader, ParsedLine line, List<Candidate> result) {
        List<Candidate> all = new ArrayList<>();
        others.complete(reader, line, all);
        List<Catalog.Entry> ours = catalog.all();
        for (Catalog.Entry e : ours) {
            result.add(new Candidate(e.fullName(), e.fullName(), e.scope(), e.description(), null, null, true));
            boolean first = catalog.find(e.name()).filter(e::equals).isPresent();
            if (first) result.add(new Candidate(e.name(), e.name(), e.scope(), e.description(), null, null, true));
        }
        List<String> taken = result.stream().map(Candidate::value).toList();
        all.removeIf(c -> taken.contains(c.value()));
        result.addAll(all);
    }
}
