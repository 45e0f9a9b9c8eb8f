package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.RegisterTrace;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CardCommandsTest {
    @TempDir
    Path files;

    private final FakeMachines machines = new FakeMachines();
    private final MachineDirectory directory = new MachineDirectory(machines);
    private final CardCommands cards = new CardCommands(directory, null);
    private CommandSession session;
    private FakeMachine machine;

    @BeforeEach
    void create() {
        session = FakeSession.in(files);
        machine = (FakeMachine) directory.create(session, "a", Map.of());
    }

    private String failure(FakeSession.Command c) {
        return assertThrows(CommandException.class, () -> output(c)).toString();
    }

    @Test
    void listShowsSlotsWithVersionStateAndClaims() {
        assertEquals(
                """
                SLOT  KIND    TYPE    VERSION  STATE   BUNDLE                    CLAIMS
                mmu   mmu     direct  0.1.0    active  org.backplane.direct-mmu
                com1  device  serial  0.1.0    active  org.backplane.dev-serial  port 3f8-3ff, irq 4
                vga   device  vga              parked
                """,
                output(() -> cards.list(session, new String[0])));
    }

    @Test
    void controlsOfACardAreListedAndUsed() {
        assertEquals(
                """
                CONTROL  ARGUMENTS  DESCRIPTION
                ring     [TIMES]    rings the bell
                """,
                output(() -> cards.use(session, new String[] {"com1"})));
        assertEquals("ding 3\n", output(() -> cards.use(session, new String[] {"com1", "ring", "3"})));
        assertEquals("", output(() -> cards.use(session, new String[] {"a", "com1", "ring"})));
        assertEquals("the card in slot mmu has no controls", failure(() -> cards.use(session, new String[] {"mmu"})));
        assertEquals("slot com1: there is no control 'x'", failure(() -> cards.use(session, new String[] {"com1", "x"})));
    }

    @Test
    void typesCanBeOfOneKind() {
        assertEquals(
                """
                KIND  TYPE    VERSION  BUNDLE  DESCRIPTION
                mmu   direct  0.1.0         4  two-dimensional
                mmu   shadow  0.1.0         5  shadow
                """,
                output(() -> cards.types(session, new String[] {"mmu"})));
        assertEquals("there is no kind of card 'x' (there is: device, mmu, image)", failure(() -> cards.types(session, new String[] {"x"})));
    }

    @Test
    void infoNamesOtherCardsThatWouldFit() {
        String text = output(() -> cards.info(session, new String[] {"com1"}));
        assertTrue(text.contains("would fit   serial@0.2.0 (bundle 2)"), text);
        assertTrue(!text.contains("vga@"), text);
        assertTrue(output(() -> cards.info(session, new String[] {"a", "mmu"})).contains("would fit   shadow@0.1.0"));
    }

    @Test
    void swapPassesTheTargetAndReportsThePause() {
        assertEquals(
                "com1: serial@0.1.0 (bundle 1) -> serial@0.2.0 (bundle 2), pause 1.23 ms\n",
                output(() -> cards.swap(session, new String[] {"com1", "serial@0.2.0"})));
        output(() -> cards.swap(session, new String[] {"a", "com1"}));
        assertEquals(List.of("swap com1 serial@0.2.0", "swap com1 null"), machine.calls);
    }

    @Test
    void anUnknownSlotIsAClearLine() {
        assertEquals("there is no slot 'com9' in a (card:list lists them)", failure(() -> cards.swap(session, new String[] {"com9"})));
        assertEquals("there is no slot 'com9'", failure(() -> cards.unplug(session, new String[] {"com9"})));
        assertEquals("usage: card:swap [MACHINE] SLOT [CARD|FILE.jar]", failure(() -> cards.swap(session, new String[0])));
    }

    @Test
    void plugTakesTheFormOfTheDeviceOption() {
        output(() -> cards.plug(session, new String[] {"serial,regs=0x2e8,irq=3,id=com4"}));
        output(() -> cards.plug(session, new String[] {"a", "serial", "extra"}));
        assertEquals("plug serial com4 {regs=0x2e8, irq=3}", machine.calls.get(0));
        assertEquals("plug serial extra {}", machine.calls.get(1));
        assertEquals("'x' is not property=value", failure(() -> cards.plug(session, new String[] {"serial,x"})));
    }

    @Test
    void aFileThatIsNoBundleIsRefusedBeforeTheContainerSeesIt() throws Exception {
        Files.writeString(files.resolve("x.jar"), "garbage");
        assertTrue(failure(() -> cards.swap(session, new String[] {"com1", "x.jar"})).contains("x.jar is no bundle: "));
        assertTrue(failure(() -> cards.update(session, new String[] {"com1", "y.jar"})).startsWith("no such file: "));
        assertEquals("slot vga is parked: no bundle is behind it", failure(() -> cards.update(session, new String[] {"vga"})));
    }

    @Test
    void policyNeedsSlotAndPolicy() {
        output(() -> cards.policy(session, new String[] {"com1", "float"}));
        assertEquals(List.of("policy com1 float"), machine.calls);
        assertEquals("usage: card:policy [MACHINE] SLOT float|pause", failure(() -> cards.policy(session, new String[] {"com1"})));
    }

    private String trace(String... args) {
        return output(() -> cards.trace(session, args));
    }

    @Test
    void aTraceIsSwitchedPerSlotAndTellsItsState() {
        assertEquals("com1: no trace (card:trace com1 on starts one)\n", trace("com1"));
        assertEquals("com1: trace on; 0 recorded\n", trace("com1", "on"));
        assertEquals("com1: trace on; 0 recorded\n", trace("a", "com1"));
        assertEquals("slot vga has no card to trace", failure(() -> cards.trace(session, new String[] {"vga", "on"})));
        assertTrue(failure(() -> cards.trace(session, new String[] {"com1", "on", "-n", "3"})).startsWith("usage: card:trace"));
        assertTrue(failure(() -> cards.trace(session, new String[] {"com1", "perhaps"})).startsWith("usage: card:trace"));
    }

    @Test
    void aTraceShowsRegistersAndFieldsByName() {
        machine.inspector.registers = new RegisterTrace(false, 9, List.of(
                new RegisterTrace.Entry(7, 1_500_000_000, 0x7c00, false, "lsr", 8, 0x60, "thre=0x1 temt=0x1"),
                new RegisterTrace.Entry(8, 1_500_001_000, 0xc0100010L, true, "thr", 8, 0x41, ""),
                new RegisterTrace.Entry(9, 1_500_002_000, 0xc0100020L, true, "ctl", 32, 5, "on=0x1 mode=0x2")));
        assertEquals(
                """
                NUMBER      TIME       RIP  ACCESS  REGISTER     VALUE  FIELDS
                     8  1.500001  c0100010  write   thr             41
                     9  1.500002  c0100020  write   ctl       00000005  on=0x1 mode=0x2
                com1: trace off; 9 recorded, the last 3 kept
                """,
                trace("com1", "show", "-n", "2"));
    }
}
