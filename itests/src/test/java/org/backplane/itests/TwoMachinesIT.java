package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.FieldModel;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.State;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.NumbersGuest;
import org.backplane.itests.support.NumbersGuest.Line;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.OtherVersion;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;

/** Two machines in one container share code and nothing else. */
@InContainer
class TwoMachinesIT {
    @Test
    void anUpdateInPlaceReachesBoth() {
        Bundle serial = Osgi.bundle("org.backplane.dev-serial");
        try (NumbersGuest a = NumbersGuest.start("a"); NumbersGuest b = NumbersGuest.start("b", "shadow")) {
            try {
                OtherVersion.update(serial, "0.3.0");
                for (NumbersGuest g : new NumbersGuest[] {a, b}) {
                    g.awaitVersion("com1", "0.3.0");
                    g.proveAllCardsWork();
                }
            } finally {
                OtherVersion.restore(serial);
            }
            a.proveAllCardsWork();
            b.proveAllCardsWork();
            a.verifyEverything();
            b.verifyEverything();
        }
    }

    @Test
    void aSwapSideBySideConcernsOneOnly() throws Exception {
        try (NumbersGuest a = NumbersGuest.start("a"); NumbersGuest b = NumbersGuest.start("b")) {
            Bundle other = OtherVersion.installBeside(Osgi.bundle("org.backplane.dev-vga"), "0.2.0");
            try {
                a.machine().swap("vga", null);
                assertEquals("0.2.0", a.slot("vga").version());
                assertEquals("0.1.0", b.slot("vga").version());
                a.proveAllCardsWork();
                b.proveAllCardsWork();
                a.verifyEverything();
                b.verifyEverything();
            } finally {
                other.uninstall();
            }
        }
    }

    /** Not by an object, a file or a static field: what one guest does to its cards, the other's never show. */
    @Test
    void cardsOfTheSameTypesShareNoState() throws Exception {
        try (NumbersGuest a = NumbersGuest.start("a"); NumbersGuest b = NumbersGuest.start("b")) {
            a.machine().pause();
            Map<String, String> before = states(a.machine());
            assertTrue(before.size() >= 10, "the whole board is looked at: " + before.keySet());
            b.proveAllCardsWork();
            for (String slot : before.keySet()) b.machine().policy(slot, "float");
            b.machine().reset();
            b.awaitLine(b.lastLine().number());
            b.machine().stop();
            assertEquals(before, states(a.machine()));
            a.machine().resume();
            a.proveAllCardsWork();
            a.verifyEverything();
        }
    }

    /** What each card would save. */
    private static Map<String, String> states(Machine m) throws BoardException {
        Map<String, String> all = new TreeMap<>();
        for (Machine.SlotInfo s : m.slots()) if (s.kind().equals("device")) all.put(s.slot(), m.cardState(s.slot()));
        return all;
    }

    /** Static fields are what two machines would share: all are final. */
    @Test
    void noCardHasAStaticFieldThatChanges() throws Exception {
        List<String> found = new ArrayList<>();
        for (Bundle b : Osgi.ownBundles()) {
            var classes = b.findEntries("/", "*.class", true);
            while (classes != null && classes.hasMoreElements()) {
                ClassModel c;
                try (InputStream in = classes.nextElement().openStream()) {
                    c = ClassFile.of().parse(in.readAllBytes());
                }
                for (FieldModel f : c.fields()) {
                    boolean changes = f.flags().has(AccessFlag.STATIC) && !f.flags().has(AccessFlag.FINAL) && !f.flags().has(AccessFlag.SYNTHETIC);
                    if (changes) found.add(c.thisClass().asInternalName() + "." + f.fieldName().stringValue());
                }
            }
        }
        assertEquals(List.of(), found);
    }

    @Test
    void oneIsPausedAndTheOtherGoesOn() {
        try (NumbersGuest a = NumbersGuest.start("a"); NumbersGuest b = NumbersGuest.start("b")) {
            a.machine().pause();
            Line stopped = a.lastLine();
            b.proveAllCardsWork();
            assertEquals(stopped, a.lastLine());
            assertEquals(State.PAUSED, a.machine().state());
            a.machine().resume();
            a.proveAllCardsWork();
            a.verifyEverything();
            b.verifyEverything();
        }
    }
}
