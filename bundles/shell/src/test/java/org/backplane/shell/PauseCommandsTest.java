package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.PauseStats;
import org.backplane.board.api.PauseStats.Figures;
import org.junit.jupiter.api.Test;

class PauseCommandsTest {
    private final MachineDirectory directory = new MachineDirectory(new FakeMachines());
    private final PauseCommands pauses = new PauseCommands(directory);
    private final CommandSession session = FakeSession.in(Path.of(""));
    private final FakeMachine machine = (FakeMachine) directory.create(session, "a", Map.of());

    @Test
    void withoutSwapsItSaysSo() {
        assertEquals("no card of a has been replaced yet\n", output(() -> pauses.pauses(session, new String[0])));
    }

    @Test
    void bothKindsAreShownApartBySlotAndInAll() {
        Figures beside = new Figures(1200, 600_000_000, 400_000, 2_500_000, 3_000_000);
        Figures inPlace = new Figures(7, 63_000_000, 9_000_000, 9_500_000, 9_500_000);
        machine.pauses = new PauseStats(
                beside, beside, inPlace, new Figures(2, 20_000, 9_000, 11_000, 11_000),
                List.of(new PauseStats.Slot("com1", beside, FakeMachine.NONE), new PauseStats.Slot("pit", FakeMachine.NONE, inPlace)));
        assertEquals(
                """
                SLOT  PAUSES        COUNT      P50      P99      MAX      SUM
                com1  side by side  1,200   400 µs  2.50 ms  3.00 ms   600 ms
                pit   in place          7  9.00 ms  9.50 ms  9.50 ms  63.0 ms
                all   side by side  1,200   400 µs  2.50 ms  3.00 ms   600 ms
                all   in place          7  9.00 ms  9.50 ms  9.50 ms  63.0 ms
                      requests          2  9.00 µs  11.0 µs  11.0 µs  20.0 µs
                """,
                output(() -> pauses.pauses(session, new String[] {"a"})));
    }
}
