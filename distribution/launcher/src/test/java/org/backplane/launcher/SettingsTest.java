// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {

    @TempDir
    Path directory;

    @Test
    void knownNamesAreReplacedAndOthersStay() {
        assertEquals("/x/deploy ${other}", Settings.substitute("${home}/deploy ${other}", Map.of("home", "/x")));
        assertEquals("a$1\\", Settings.substitute("${v}", Map.of("v", "a$1\\")));
    }

    @Test
    void systemPropertiesWinOverTheFileAndTheLauncherOverBoth() throws Exception {
        Path file = Files.writeString(directory.resolve("p"), "settingsTest.a=file\nsettingsTest.b=file\n");
        System.setProperty("settingsTest.a", "system");
        System.setProperty("settingsTest.b", "system");
        try {
            assertEquals(
                    Map.of("settingsTest.a", "system", "settingsTest.b", "launcher"),
                    Settings.properties(file, Map.of("settingsTest.b", "launcher")));
        } finally {
            System.clearProperty("settingsTest.a");
            System.clearProperty("settingsTest.b");
        }
    }

    @Test
    void listsSkipCommentsAndBlanks() throws Exception {
        Path file = Files.writeString(directory.resolve("l"), "# no\n\n a-*.jar \nb.jar\n");
        assertEquals(List.of("a-*.jar", "b.jar"), Settings.list(file));
        assertEquals(List.of(), Settings.list(directory.resolve("none")));
    }

    @Test
    void levelsArePatternAndNumber() {
        Settings.Level level = Settings.levels("a.b-*:3,").getFirst();
        assertEquals(3, level.level());
        assertTrue(level.pattern().matches(Path.of("a.b-1.0.jar")));
        assertThrows(IllegalArgumentException.class, () -> Settings.levels("a"));
        assertThrows(IllegalArgumentException.class, () -> Settings.levels("a:b"));
    }
}
