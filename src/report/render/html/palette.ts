/** The colours of everything that people see in a browser, light and dark. */
export const palette = `
:root {
  color-scheme: light dark;
  --paper: #fcfbf9; --surface: #ffffff; --sunk: #f4f2ee;
  --ink: #1d1b18; --soft: #45423c; --muted: #66625a; --line: #e3dfd8; --strong-line: #cbc6bc;
  --link: #1f5c99;
  --red: #b3261e; --red-soft: #fbeeec; --green: #146c43; --green-soft: #eaf5ef; --amber: #8a5a00; --amber-soft: #fbf3e1; --blue: #1f5c99; --blue-soft: #edf3fa;
  --heat0: #f4f2ee; --heat1: #f7e3dc; --heat2: #f0c6b8; --heat3: #e4a08c; --heat4: #cf6f58; --heat5: #b8452f; --heat6: #97281a; --on-heat: #ffffff;
  --s0: #4f7cac; --s1: #d08c4a; --s2: #6a9a6e; --s3: #9a77b0; --s4: #b56576; --s5: #7d8a97; --s6: #c2a83e; --s7: #4f9d9d;
  --dot: #6d7f92; --marker: #fbe6a2; --marker-line: #dba81f;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #141517; --surface: #1b1d20; --sunk: #24272b;
    --ink: #eeece8; --soft: #cfccc6; --muted: #a4a199; --line: #303338; --strong-line: #484c53;
    --link: #8ab8e8;
    --red: #ff9a8f; --red-soft: #3a2220; --green: #7bd4a5; --green-soft: #1c3027; --amber: #e9bf6b; --amber-soft: #352b18; --blue: #8ab8e8; --blue-soft: #1d2a38;
    --heat0: #24272b; --heat1: #3d2a27; --heat2: #5c332c; --heat3: #834034; --heat4: #9f4b3a; --heat5: #d9745f; --heat6: #f29b87; --on-heat: #17110f;
    --s0: #7aa6d6; --s1: #e0a668; --s2: #8fc093; --s3: #bd9cd2; --s4: #d68b9b; --s5: #a3b0bd; --s6: #dcc66a; --s7: #7cc4c4;
    --dot: #8fa1b5; --marker: #4d3f14; --marker-line: #c79a2b;
  }
}
`.trim()
