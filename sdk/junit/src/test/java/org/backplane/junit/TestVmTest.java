package org.backplane.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** In an instance field: each test has a VM of its own. */
class TestVmTest {
    @RegisterExtension
    final TestVm vm = TestVm.builder()
            .card(CardFiles.NOTEBOOK)
            .device("notebook")
            .device("isa-debug-exit,iobase=0xf4,iosize=4")
            .patience(Duration.ofSeconds(20))
            .build();

    @Test
    void cardsAreUpdatedInPlaceWithTheirStateWhileTheGuestRuns() {
        vm.probe().out32(0x5e0, 4711);
        vm.updateCards();
        assertEquals(4711, vm.probe().in32(0x5e0));
        assertEquals("active", vm.machine().slots().stream().filter(s -> s.slot().equals("notebook0")).findFirst().orElseThrow().state());
    }

    @Test
    void eachTestBeginsAnew() {
        assertEquals(0, vm.probe().in32(0x5e0));
    }

    @Test
    void endAnswersHowTheGuestEnded() {
        vm.serial().send("o1 f4 3\n");
        assertEquals(7, vm.end().status(), "(3 << 1) | 1");
        AssertionError e = assertThrows(AssertionError.class, () -> vm.serial().expect("anything"));
        assertTrue(e.getMessage().contains("The machine has ended with status 7"), e.getMessage());
    }

    @Test
    void consoleOfASilentGuestSaysWhereItIs() {
        AssertionError e = assertThrows(AssertionError.class, () -> vm.serial().expect("login:", Duration.ofMillis(300)));
        assertTrue(e.getMessage().contains("The machine is running, its CPU at "), e.getMessage());
        assertTrue(e.getMessage().contains(", halted"), e.getMessage());
        assertTrue(e.getMessage().contains("| backplane probe"), e.getMessage());
    }

    @Test
    void cardIsNoClassOfTheTest() {
        assertNotEquals(0, vm.machine().slots().size());
        assertTrue(vm.machine().slots().stream().anyMatch(s -> "com.example.notebook".equals(s.bundle())));
    }
}
