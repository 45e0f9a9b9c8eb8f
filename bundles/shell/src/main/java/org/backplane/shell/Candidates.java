package org.backplane.shell;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineOptions;
import org.backplane.board.api.MachineOptions.Option;
import org.backplane.board.api.Machines.CardType;
import org.backplane.kvm.spi.device.CardControls;

/** What there is to complete to, by the word that stands for it in a syntax. */
final class Candidates {
    private static final List<String> KEYS = List.of(
            "ret", "esc", "tab", "spc", "backspace", "up", "down", "left", "right", "home", "end", "pgup", "pgdn", "insert", "delete", "f1", "f2",
            "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "ctrl-c", "ctrl-alt-delete", "shift-a", "alt-f1");
    private static final List<String> REGISTERS = List.of("eip", "esp", "cs:ip", "ss:sp", "ds:si", "es:di", "cr3");

    private final MachineDirectory directory;

    Candidates(MachineDirectory directory) {
        this.directory = directory;
    }

    Optional<Machine> current(CommandSession session) {
        return directory.currentIfAny(session);
    }

    Optional<Machine> named(String name) {
        return directory.machines().find(name);
    }

    /**
     * @param word of a {@link Syntax}; one that stands for itself is its own candidate
     * @param before the argument before
     */
    List<String> of(String word, CommandSession session, Optional<Machine> machine, String before) {
        return switch (word) {
            case "MACHINE" -> directory.machines().list().stream().map(Machine::name).toList();
            case "SLOT" -> machine.map(m -> m.slots().stream().map(Machine.SlotInfo::slot).toList()).orElse(List.of());
            case "CONSOLE" -> machine.map(MachineDirectory::consoleSlots).orElse(List.of());
            case "CARD" -> machine.map(m -> cardsFor(m, before)).orElse(List.of());
            case "CONTROL" -> machine.map(m -> controls(m, before)).orElse(List.of());
            case "KIND" -> types().map(CardType::kind).distinct().toList();
            case "MMU", "EMULATOR", "CPU-BACKEND", "FIRMWARE" -> typesOf(word.toLowerCase(Locale.ROOT));
            case "IMAGE" -> typesOf("image").stream().map(t -> "builtin:" + t).toList();
            case "KEY" -> KEYS;
            case "ADDRESS" -> REGISTERS;
            case "GFN" -> List.of("gpa:cr3", "gva:eip", "gva:esp");
            case "REASON" -> TraceText.reasonNames();
            case "LEVEL" -> List.of("1", "2", "3", "4");
            case "FRAME" -> machine.map(Candidates::roots).orElse(List.of());
            case "OPTION" -> Stream.concat(MachineOptions.ALL.stream().map(o -> "-" + o.name()), Stream.of("-machine")).toList();
            case "COMMAND" -> commandNames(session);
            case "PREFIX" -> machine.map(m -> m.stats().keySet().stream().toList()).orElse(List.of());
            default -> {
                if (word.startsWith("TYPE")) yield typesOf("device");
                yield word.equals(word.toUpperCase(Locale.ROOT)) && !word.startsWith("-") ? List.of() : List.of(word);
            }
        };
    }

    private static List<String> controls(Machine m, String slot) {
        try {
            return m.controls(slot).stream().map(CardControls.Control::name).toList();
        } catch (BoardException e) {
            return List.of();
        }
    }

    /** The tables that the processor starts from. */
    private static List<String> roots(Machine m) {
        try {
            return m.inspector().pages().stream().filter(p -> p.roots() > 0).map(p -> String.format("0x%x", p.frame())).toList();
        } catch (BoardException e) {
            return List.of();
        }
    }

    private static List<String> commandNames(CommandSession session) {
        return session.get(".commands") instanceof Collection<?> all ? all.stream().map(Object::toString).sorted().toList() : List.of();
    }

    private Stream<CardType> types() {
        return directory.machines().cardTypes().stream();
    }

    /** Cards for a slot, with the bundle's number where type and version do not tell them apart. */
    private List<String> cardsFor(Machine m, String slot) {
        List<CardType> fitting = m.slots().stream()
                .filter(s -> s.slot().equals(slot))
                .flatMap(s -> types().filter(c -> Cards.fits(s, c)))
                .toList();
        return fitting.stream()
                .map(c -> fitting.stream().filter(o -> o.type().equals(c.type()) && o.version().equals(c.version())).count() > 1
                        ? c.type() + "#" + c.bundleId()
                        : c.type() + "@" + c.version())
                .toList();
    }

    private List<String> typesOf(String kind) {
        return types().filter(c -> c.kind().equals(kind)).map(CardType::type).distinct().toList();
    }

    /** The option that a word is. */
    static Optional<Option> option(String word) {
        return word.startsWith("-") ? MachineOptions.find(word.replaceFirst("^--?", "")) : Optional.empty();
    }

    /** Words for the values of an option that takes one. */
    static List<String> values(Option o) {
        return switch (o.name()) {
            case "fda" -> List.of("FILE", "IMAGE");
            case "bios" -> List.of("FILE", "FIRMWARE");
            case "serial", "debugcon" -> List.of("console", "null", "file:");
            case "device" -> List.of("TYPE");
            case "mmu" -> List.of("MMU");
            case "emulator" -> List.of("EMULATOR");
            case "cpu-backend" -> List.of("CPU-BACKEND");
            case "overcommit" -> List.of("mem-lock=on", "mem-lock=off");
            case "rtc" -> List.of("base=utc", "base=localtime");
            default -> List.of(o.argument());
        };
    }
}
